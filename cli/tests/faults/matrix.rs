//! The fault matrix: every row in every function. `docs/fault-matrix.md` holds the table that comes out.

use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::ArtifactBucket;

use crate::cells::{self, Expected, GATES, Gate, Row};
use crate::evidence;
use crate::pipelines::ARTIFACTS;
use crate::rows::rows;
use crate::world::{World, root, turn};

/// The column of a function: what came of each row, and how long it took.
struct Column {
    lines: Vec<String>,
    problems: Vec<String>,
}

async fn column(at: usize, gate: Gate, rows: &[Row]) -> Column {
    let world = World::new(Clock::system(), |_| ()).await;
    world.aws.s3().create_bucket(ARTIFACTS).await.unwrap();
    world.aws.s3().put(ARTIFACTS, "heavy.zip", evidence::heavy_artifact(&world.server)).await.unwrap();
    let mut column = Column { lines: Vec::new(), problems: Vec::new() };
    for row in rows {
        let Some(expected) = &row.expected[at] else { continue };
        let fault = row.fault;
        match cells::run(&world, &gate, row, expected).await {
            Ok(done) => {
                let took = done.took.as_secs_f64();
                column.lines.push(format!("{:8} {fault:50} {took:6.2} s  {}", gate.name, done.ended.message));
            }
            Err(problem) => column.problems.push(format!("{}, {fault}: {problem}", gate.name)),
        }
    }
    world.shutdown().await;
    column
}

/// The table: a line for each fault, a column for each function.
fn table(rows: &[Row]) -> String {
    let mut table = "| fault | `test-gate` | `smoke-test` | `release-gate` |\n|---|---|---|---|\n".to_owned();
    for row in rows {
        let cells = row.expected.iter().map(|cell| cell.as_ref().map_or_else(|| "–".to_owned(), Expected::shown));
        table += &format!("| {} | {} |\n", row.fault, cells.collect::<Vec<_>>().join(" | "));
    }
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_of_the_fault_matrix_is_answered_once() {
    let _turn = turn().await;
    let rows = rows();
    let [test, smoke, release] = GATES;
    let columns = tokio::join!(column(0, test, &rows), column(1, smoke, &rows), column(2, release, &rows));
    let table = table(&rows);
    // `cargo test -p stagegate --test faults matrix -- --nocapture` shows it.
    let columns = [columns.0, columns.1, columns.2];
    println!("{table}");
    columns.iter().flat_map(|column| &column.lines).for_each(|line| println!("{line}"));
    let problems: Vec<_> = columns.iter().flat_map(|column| &column.problems).cloned().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let page = std::fs::read_to_string(root().join("docs/fault-matrix.md")).unwrap();
    assert!(page.contains(&table), "docs/fault-matrix.md has another table than this one:\n{table}");
}
