//! What holds whatever people, agents and crashes do.
//!
//! A script is a list of things that people do and of runs that end. [`World`]
//! plays it: it performs what the engine asks for, keeps the journal, and checks
//! at every step what must always hold. How a run or a push turns out is drawn
//! from the script's seed and the place in the journal, so that the same script
//! always has the same world.

mod world;

use proptest::prelude::*;
use zazen_core::engine::{Book, Engine, Unfit};

use self::world::{Action, Crashes, Luck, World, unfit_facts};

/// How many scripts are played for each law. Thirty times as many found nothing more, in minutes.
const CASES: u32 = 100;

/// How long a script is at most. Most ways through a task take fewer than twenty steps.
const ACTIONS_MAX: usize = 60;

/// How many runs and waits a task needs at most until it rests, when nobody acts.
const RUNS_TO_REST_MAX: usize = 48;

/// How many of them there are at most when every run fails: two for a try and its repetition,
/// and the checks before a correction.
const FAILED_RUNS_TO_REST_MAX: usize = 6;

/// How many runs and waits there are at most when the model is never free.
const WAITS_TO_REST_MAX: usize = 2 * 42;

fn script() -> impl Strategy<Value = (u64, Vec<Action>)> {
    let action = prop_oneof![
        4 => (1..=2_u64, 0..world::COMMENTS.len()).prop_map(|(issue, n)| Action::Comment(issue, n)),
        2 => (any::<u8>(), 0..world::COMMENTS.len()).prop_map(|(n, text)| Action::OnPart(n, text)),
        6 => any::<u8>().prop_map(Action::RunEnds),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(n, stop)| Action::Request(n, stop)),
        1 => any::<u8>().prop_map(Action::Edit),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(n, merge)| Action::EndPull(n, merge)),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(n, fix)| Action::Review(n, fix)),
        1 => any::<u8>().prop_map(Action::RedChecks),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(n, what)| Action::Meddle(n, what)),
        2 => any::<u8>().prop_map(Action::TimePasses),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(n, long)| Action::Close(n, long)),
    ];
    (any::<u64>(), prop::collection::vec(action, 0..ACTIONS_MAX))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The world that crashes at every moment ends where the one does that never crashes, and
    /// asks for nothing that was confirmed. (Every world checks also that no task has two runs,
    /// that there are never more runs than places, that nothing is published which was not
    /// approved and verified, and that what is taken twice changes nothing.)
    #[test]
    fn a_crash_at_any_moment_changes_nothing((seed, script) in script()) {
        let mut calm = World::new(seed, Crashes::Never);
        let mut rough = World::new(seed, Crashes::Everywhere);
        for action in script {
            calm.act(action);
            rough.act(action);
            for (calm, rough) in calm.book().tasks().zip(rough.book().tasks()) {
                prop_assert_eq!(calm, rough, "after {:?}", action);
            }
            prop_assert_eq!(calm.book(), rough.book(), "after {:?}", action);
        }
    }

    #[test]
    fn the_journal_alone_gives_the_same_book((seed, script) in script()) {
        let mut world = World::new(seed, Crashes::Never);
        for action in script {
            world.act(action);
        }
        prop_assert_eq!(&world.replayed(), world.book());
        let json = serde_json::to_string(world.book()).expect("a book can be written");
        let read: Book = serde_json::from_str(&json).expect("what was written can be read");
        prop_assert_eq!(&read, world.book());
    }

    #[test]
    fn a_task_comes_to_rest_when_nobody_acts((seed, script) in script()) {
        let mut world = World::new(seed, Crashes::Never);
        for action in script {
            world.act(action);
        }
        world.rest(Luck::Mixed, RUNS_TO_REST_MAX)?;
    }

    #[test]
    fn a_task_whose_runs_all_fail_comes_to_rest_soon((seed, script) in script()) {
        let mut world = World::new(seed, Crashes::Never);
        for action in script {
            world.act(action);
        }
        // It is about runs. A service that is closed is waited for, in the laws beside this one.
        world.act(Action::Close(0, 0));
        world.rest(Luck::Bad, FAILED_RUNS_TO_REST_MAX)?;
    }

    #[test]
    fn a_task_whose_model_is_never_free_comes_to_rest((seed, script) in script()) {
        let mut world = World::new(seed, Crashes::Never);
        for action in script {
            world.act(action);
        }
        world.rest(Luck::Held, WAITS_TO_REST_MAX)?;
    }

    #[test]
    fn a_fact_that_does_not_fit_changes_nothing((seed, script) in script()) {
        let mut world = World::new(seed, Crashes::Never);
        for action in script {
            world.act(action);
        }
        for fact in unfit_facts(world.book()) {
            let mut engine = Engine::new(world.policy(), world.book().clone());
            let checked = engine.check(&fact, world.now());
            let taken = engine.take_in(fact.clone(), world.now()).map(drop);
            prop_assert_eq!(&checked, &taken, "{:?}", fact);
            if taken.is_err() {
                prop_assert_eq!(engine.book(), world.book(), "{:?}", fact);
            }
        }
    }

    #[test]
    fn what_is_taken_twice_changes_nothing_the_second_time((seed, script) in script()) {
        let mut world = World::new(seed, Crashes::Never);
        for action in script {
            world.act(action);
        }
        let mut engine = Engine::new(world.policy(), world.book().clone());
        for fact in world.caused() {
            prop_assert_eq!(engine.take_in(fact, world.now()), Err(Unfit::Repeated));
        }
        prop_assert_eq!(engine.book(), world.book());
    }
}
