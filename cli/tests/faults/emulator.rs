//! The main rows of the matrix under AWS's own Runtime Interface Emulator, where it is installed: the same functions against
//! AWS's Runtime API in place of ours. It is part of the PyPI wheel `aws-sam-cli`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::faults::{CallFaults, InvokeFault, InvokePlan, When};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::FunctionConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::cells::{self, By, Expected, GATES, Gate, Row};
use crate::evidence::GUARD;
use crate::pipelines;
use crate::rows::rows;
use crate::world::{LIMIT, World, root, turn};

const PROGRAM: &str = "samcli/local/rapid/aws-lambda-rie-x86_64";
const KILL: &str = "SIGKILL";
/// The rows that are tried. The emulator serves one invocation at a time, so no event comes twice at once.
const TRIED: [&str; 11] = [
    "none",
    "a bad result",
    "the deadline is reached in S3",
    KILL,
    "the answer is refused with 429, twice",
    "the answer is refused with 500, three times",
    "the answer is refused with 403",
    "the event's data are broken",
    "the parameters are no JSON",
    "the event is a foreign one",
    "the configuration layer is missing",
];

/// The emulator in the virtual environments of CI and of the search path.
fn emulator() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut environments = vec![root().join(".ci/venv")];
    environments.extend(std::env::split_paths(&path).filter_map(|folder| Some(folder.parent()?.to_owned())));
    let libraries =
        environments.iter().filter_map(|place| std::fs::read_dir(place.join("lib")).ok()).flatten().flatten();
    libraries.map(|library| library.path().join("site-packages").join(PROGRAM)).find(|program| program.is_file())
}

/// An emulator with a function in it; both end when this is dropped.
struct Emulated {
    child: Child,
    port: u16,
}

impl Emulated {
    async fn start(program: &Path, config: &FunctionConfig) -> Self {
        let (port, runtime_port) = (free_port().await, free_port().await);
        let credentials = &config.credentials;
        let mut command = Command::new(program);
        command
            .args(["--runtime-interface-emulator-address", &format!("127.0.0.1:{port}")])
            .args(["--runtime-api-address", &format!("127.0.0.1:{runtime_port}")])
            .arg(&config.command.program)
            .args(&config.command.arguments)
            .env_clear()
            .envs(&config.environment)
            .env_remove("STAGEGATE_LOCAL_CLOCK")
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", &credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", &credentials.session_token)
            .env("AWS_LAMBDA_FUNCTION_NAME", &config.name)
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", config.timeout.as_secs().to_string())
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let emulated = Self { child: command.spawn().unwrap(), port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(started.elapsed() < LIMIT, "the emulator does not listen");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        emulated
    }

    /// Invokes the function, and gives what the emulator answers.
    async fn invoke(&self, event: &Value) -> Value {
        let body = event.to_string();
        let head = format!(
            "POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all((head + &body).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("an answer").unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
    }

    /// Kills the function, as soon as it is there; the emulator stays.
    async fn kill_function(&self) {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let emulator = self.child.id().unwrap().to_string();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
            if parent.is_some_and(|parent| parent.trim() == emulator) {
                let id = entry.file_name();
                std::process::Command::new("/bin/kill").arg("-KILL").arg(id).status().unwrap();
            }
        }
    }
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn try_row(world: &World, program: &Path, gate: &Gate, row: &Row, expected: &Expected) -> Result<(), String> {
    let mut config = world.aws.lambda().function(gate.function).unwrap();
    if let Some(configure) = row.configure {
        configure(&mut config);
    }
    let emulated = Emulated::start(program, &config).await;
    if expected.by == By::Nobody {
        let error = emulated.invoke(&json!({"Records": [{"body": "canary"}]})).await.to_string();
        let is_named = error.contains("Records") && !error.contains("canary");
        return if is_named { Ok(()) } else { Err(format!("the error names no keys, or shows values: {error}")) };
    }
    let pipeline = format!("emulated-{}", gate.name);
    let policy = format!("{}-{}", gate.name, row.policy);
    world.aws.put_pipeline(&pipelines::lambda(&pipeline, gate.function, &policy)).await.unwrap();
    // The emulator takes the place of the local Lambda, which never starts this function.
    let throttled = InvokePlan::seeded(1).on(gate.function, When::Always, InvokeFault::Throttle);
    world.switch.invokes(Some(Arc::new(throttled)));
    let calls = row.calls.map(|calls| Arc::new(calls(gate)) as Arc<dyn CallFaults>);
    world.switch.calls(calls);
    let execution = world.start(&pipeline, "emulated").await;
    world.until("the job", |world| cells::job(world, &execution).is_some()).await;
    let (job, event) = cells::job(world, &execution).unwrap();
    let sent = (row.event)(event.clone());
    let answer = if row.fault == KILL {
        tokio::join!(emulated.invoke(&sent), emulated.kill_function()).0
    } else {
        emulated.invoke(&sent).await
    };
    if expected.by == By::Guard {
        // Lambda hands what a function could not do to its destination; the emulator has none.
        let arn = format!("arn:aws:lambda:us-east-1:111122223333:function:{}:$LATEST", gate.function);
        let context = json!({"requestId": "emulated", "functionArn": arn, "condition": "RetriesExhausted"});
        let record = json!({"requestContext": context, "requestPayload": event, "responsePayload": answer});
        let done = world.invoke(GUARD, &record).await;
        if let Some(error) = done.function_error {
            return Err(format!("the guard fails: {error:?}"));
        }
    }
    let ended = world.end(&pipeline, &execution, LIMIT).await.ok_or("the job hangs")?;
    world.switch.calls(None);
    cells::check(world, gate, expected, &ended, &job)?;
    world.until("the end of the lease", |world| world.leases().is_empty()).await;
    world.assert_no_secret(&ended.message);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_main_rows_hold_under_the_emulator_of_aws() {
    let Some(program) = emulator() else {
        println!("skipped: there is no {PROGRAM}; install the PyPI wheel aws-sam-cli into .ci/venv");
        return;
    };
    let _turn = turn().await;
    let world = World::new(Clock::system(), |_| ()).await;
    let (rows, mut problems) = (rows(), Vec::new());
    for fault in TRIED {
        let row = rows.iter().find(|row| row.fault == fault).expect(fault);
        for (gate, expected) in GATES.iter().zip(&row.expected) {
            let Some(expected) = expected else { continue };
            match try_row(&world, &program, gate, row, expected).await {
                Ok(()) => println!("{:8} {fault}", gate.name),
                Err(problem) => problems.push(format!("{}, {fault}: {problem}", gate.name)),
            }
            world.switch.calls(None);
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    world.shutdown().await;
}
