//! Order, number and loss of events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_delivery::{Measurement, Metric, Report};
use stagegate_notice::Picture;

use crate::world::{End, Function, Told, observed, picture, rule, stories, tell};

/// Executions, an order of all their events in which each stands twice, and which of them are lost.
fn told() -> impl Strategy<Value = (Vec<End>, i64, Vec<usize>, Vec<bool>)> {
    stories().prop_flat_map(|(ends, pace)| {
        let events: usize = tell(&ends, pace).iter().map(|told| told.events.len()).sum();
        let twice: Vec<usize> = (0..events).chain(0..events).collect();
        (Just(ends), Just(pace), Just(twice).prop_shuffle(), prop::collection::vec(any::<bool>(), events))
    })
}

fn names(measurements: &[Measurement]) -> Vec<(String, String, Metric)> {
    let name = |one: &Measurement| (one.subject.execution.clone(), one.key.clone(), one.metric);
    let mut names: Vec<_> = measurements.iter().map(name).collect();
    names.sort_unstable();
    names
}

fn sums(measurements: &[Measurement]) -> BTreeMap<Metric, usize> {
    let mut sums = BTreeMap::new();
    for measurement in measurements.iter().filter(|measurement| measurement.metric.unit() == "Count") {
        *sums.entry(measurement.metric).or_default() += 1;
    }
    sums
}

/// What a person would count.
fn expected(told: &[Told]) -> BTreeMap<Metric, usize> {
    let mut sums = BTreeMap::new();
    let (mut running, mut is_broken) = (false, false);
    for told in told {
        let mut count = |metric| *sums.entry(metric).or_default() += 1;
        match told.end {
            End::StoppedByTheGate => count(Metric::GateFailed),
            End::RollsBack => {}
            _ => count(Metric::GatePassed),
        }
        match told.end {
            End::StoppedByTheGate | End::Rejected => {}
            End::Deployed => {
                [Metric::Changes, Metric::Deployments].into_iter().for_each(&mut count);
                (running, is_broken) = (true, false);
            }
            End::FailsInProduction => {
                [Metric::Changes, Metric::FailedChanges].into_iter().for_each(&mut count);
                is_broken = true;
            }
            End::FailsAndIsRetried => {
                [Metric::Changes, Metric::FailedChanges, Metric::Deployments].into_iter().for_each(&mut count);
                // It has failed already: a rollback takes the same change back.
                (running, is_broken) = (false, false);
            }
            End::RollsBack => {
                if running && !is_broken {
                    count(Metric::FailedChanges);
                }
                (running, is_broken) = (false, false);
            }
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Each measurement is logged once, in whatever order and however often the events come.
    #[test]
    fn each_measurement_is_logged_once((ends, pace, order, _) in told()) {
        let told = tell(&ends, pace);
        let events: Vec<_> =
            told.iter().flat_map(|told| told.events.iter().map(move |event| (&told.execution, event))).collect();
        let mut function = Function::default();
        for number in order {
            let (execution, event) = events[number];
            function.hear(execution, &Picture::of(event, Timestamp::UNIX_EPOCH));
        }
        for told in &told {
            function.hear(&told.execution, &told.answers);
            function.hear(&told.execution, &told.answers);
        }
        let logged = names(&function.logged);
        let mut once = logged.clone();
        once.dedup();
        prop_assert_eq!(&once, &logged, "something was logged twice");
        // Between executions, what was logged while less was known stays logged.
        let is_alone = |name: &&(String, String, Metric)| !matches!(name.2, Metric::FailedChanges | Metric::RestoreTime);
        let known = names(&function.known());
        prop_assert_eq!(
            logged.iter().filter(is_alone).collect::<Vec<_>>(), known.iter().filter(is_alone).collect::<Vec<_>>()
        );
        prop_assert!(known.iter().all(|name| logged.contains(name)), "{:?} {:?}", logged, known);
    }

    /// In their own order, exactly what happened is counted.
    #[test]
    fn what_happened_is_counted((ends, pace, _, _) in told()) {
        let told = tell(&ends, pace);
        let mut function = Function::default();
        for told in &told {
            function.hear(&told.execution, &told.answers);
            for event in &told.events {
                function.hear(&told.execution, &Picture::of(event, Timestamp::UNIX_EPOCH));
            }
        }
        prop_assert_eq!(sums(&function.logged), expected(&told));
    }

    /// What was lost is made good by asking: nothing that is counted is lost with its event.
    #[test]
    fn what_was_lost_is_counted_all_the_same((ends, pace, _, lost) in told()) {
        let told = tell(&ends, pace);
        let mut lost = lost.into_iter();
        let mut function = Function::default();
        for told in &told {
            let kept: Vec<_> = told.events.iter().filter(|_| !lost.next().unwrap()).collect();
            function.hear(&told.execution, &picture(kept, Some(&told.answers)));
        }
        prop_assert_eq!(sums(&function.known()), expected(&told));
    }

    /// The report says the same as the metrics.
    #[test]
    fn the_report_counts_what_the_metrics_count((ends, pace, _, _) in told()) {
        let told = tell(&ends, pace);
        let until: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let report = Report::new(&observed(&told), |_| Some(rule()), None, until);
        let [web] = report.pipelines.as_slice() else { panic!("{report:?}") };
        let expected = expected(&told);
        let count = |metric| expected.get(&metric).copied().unwrap_or_default();
        prop_assert_eq!(web.deployments.len(), count(Metric::Deployments));
        prop_assert_eq!((web.changes, web.failed_changes), (count(Metric::Changes), count(Metric::FailedChanges)));
        prop_assert_eq!(web.weeks.iter().map(|week| week.deployments).sum::<usize>(), web.deployments.len());
        let passed = web.gates.iter().map(|gate| gate.passed).sum::<usize>();
        prop_assert_eq!(passed, count(Metric::GatePassed));
        prop_assert_eq!(web.executions, told.len());
    }
}
