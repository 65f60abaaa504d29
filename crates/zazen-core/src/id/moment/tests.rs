use super::*;
use crate::budget::{Day, Scope};

#[test]
fn moments_are_those_of_the_calendar() {
    for (ms, shown) in [
        (0, "1970-01-01 00:00 UTC"),
        (951_782_399_999, "2000-02-28 23:59 UTC"),
        (951_782_400_000, "2000-02-29 00:00 UTC"),
        (951_868_800_000, "2000-03-01 00:00 UTC"),
        (1_796_131_500_000, "2026-12-01 13:25 UTC"),
        (4_107_542_400_000, "2100-03-01 00:00 UTC"),
        (SHOWN_MAX_MS, "9999-12-31 23:59 UTC"),
        (u64::MAX, "9999-12-31 23:59 UTC"),
    ] {
        assert_eq!(Time(ms).utc().to_string(), shown);
    }
}

#[test]
fn a_budget_is_free_again_when_its_day_or_month_is_over() {
    let at = Time(1_796_131_500_000);
    let free = |scope: Scope| scope.free_at(at).map(|at| at.utc().to_string());
    assert_eq!(free(Scope::Day).as_deref(), Some("2026-12-02 00:00 UTC"));
    assert_eq!(free(Scope::RepoDay).as_deref(), Some("2026-12-02 00:00 UTC"));
    assert_eq!(free(Scope::Month).as_deref(), Some("2027-01-01 00:00 UTC"));
    assert_eq!(free(Scope::RepoMonth).as_deref(), Some("2027-01-01 00:00 UTC"));
    for scope in [Scope::Run, Scope::Task, Scope::Total] {
        assert_eq!(free(scope), None, "{scope} is never free again by itself");
    }
    let free = Scope::Day.free_at(at).unwrap();
    assert_ne!(Day::of(at), Day::of(free));
    assert_eq!(Day::of(Time(free.0 - 1)), Day::of(at), "and not a moment later");
}
