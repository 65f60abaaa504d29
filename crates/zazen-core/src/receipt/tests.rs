//! Tests of receipts as texts.

use expect_test::expect;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::usage::{Cost, Tokens};

/// A receipt in which nothing is left out.
#[expect(clippy::too_many_lines, reason = "one case after the other")]
pub(super) fn sample() -> Receipt {
    let hash = |text: &str| Hash::of(text.as_bytes());
    let commit = |digit: &str| digit.repeat(40).parse().unwrap();
    let run = RunId { task: TaskId(12), n: 3 };
    let usage = Usage {
        n_calls: 2,
        tokens: Tokens { input: 10, output: 5, ..Tokens::default() },
        cost: Cost::Micros(105),
        ..Usage::default()
    };
    let checks = |text: &str, code| Checks {
        run,
        command: "cargo test".to_owned(),
        code: Some(code),
        output: hash(text),
    };
    let mut chain = chain::Chain::default();
    chain.push(b"{}");
    Receipt {
        v: VERSION,
        zazen: "0.1.0".to_owned(),
        task: TaskId(12),
        issue: Issue {
            repo: "local/tally".parse().unwrap(),
            number: IssueNumber(7),
            text: hash("issue"),
        },
        brief: hash("brief"),
        plan: Plan { hash: PlanHash::of("plan"), version: 2, approved_by: "ada".to_owned() },
        contract: Some(hash("contract")),
        policy: hash("policy"),
        base: Point { commit: commit("a"), tree: commit("b") },
        head: Point { commit: commit("c"), tree: commit("d") },
        runs: vec![Run {
            run,
            phase: "implement/1".to_owned(),
            agent: Some(Agent {
                name: "main".to_owned(),
                harness: "claude".to_owned(),
                version: "2.1.0".to_owned(),
                model: "opus".to_owned(),
            }),
            sandbox: Sandbox {
                engine: "bwrap".to_owned(),
                achieved: BTreeMap::from([("network".to_owned(), "isolated".to_owned())]),
            },
            end: End {
                reason: "exited".to_owned(),
                code: Some(0),
                signal: None,
                started_at: Time(1_000),
                ended_at: Time(2_000),
            },
            usage,
            n_unrecorded: 1,
            files: BTreeMap::from([(OfRun::Events, hash("events"))]),
            recording: Some(chain.sealed()),
        }],
        hosts: Hosts {
            reached: BTreeMap::from([("a.test:443".to_owned(), 2)]),
            refused: BTreeMap::from([("b.test:443".to_owned(), 1)]),
            n_more: 0,
        },
        guards: Some(Guards {
            text: hash("guards"),
            n_flags: 1,
            held: true,
            released_by: "ada".to_owned(),
        }),
        checks: checks("after", 0),
        baseline: Some(checks("before", 1)),
        review: Some(Review { run, text: hash("review"), n_findings: 2, n_blocking: 1 }),
        usage,
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one case after the other")]
fn a_statement_is_printed_like_this() {
    let text = statement::print(&sample());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(text, statement::canonical(&value));
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    expect![[r#"
        {
          "_type": "https://in-toto.io/Statement/v1",
          "predicate": {
            "base": {
              "commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
              "tree": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
            },
            "baseline": {
              "code": 1,
              "command": "cargo test",
              "output": "blake3:18c52a7ed981fbffa12fbf611b593c451f6a5700af2206c612b5c3dd2888909b",
              "run": "12.3"
            },
            "brief": "blake3:6d21e0de6daa689a6256b93e328696086c4ffaf1ce92cbde4d00393e4061e98b",
            "checks": {
              "code": 0,
              "command": "cargo test",
              "output": "blake3:45df22c72c6e776f178bdbb8103c5cac32795afaf8d736fb12c848264ae87d11",
              "run": "12.3"
            },
            "contract": "blake3:74d81b36a230742f81a9b968f0a80636c87a9dacabfe5a0a1f868eeca86b8aef",
            "guards": {
              "held": true,
              "n_flags": 1,
              "released_by": "ada",
              "text": "blake3:c96851541ffb14e7633cc0dc2387ff7b4f9bc734d8348bf30b337b65e8ea817a"
            },
            "head": {
              "commit": "cccccccccccccccccccccccccccccccccccccccc",
              "tree": "dddddddddddddddddddddddddddddddddddddddd"
            },
            "hosts": {
              "n_more": 0,
              "reached": {
                "a.test:443": 2
              },
              "refused": {
                "b.test:443": 1
              }
            },
            "issue": {
              "number": 7,
              "repo": "local/tally",
              "text": "blake3:cb9438a9fae4e841617696515b3f6d9f4385518f3df162d11d29dc98d9a5234e"
            },
            "plan": {
              "approved_by": "ada",
              "hash": "29fde71e3ef298312227db745efc78ceb1c4e97c3a45f8e1f3f8680fa8a8f9ac",
              "version": 2
            },
            "policy": "blake3:ff096070fb25d5456f50000af78f1c92fda605bdb7bc3d1e7d1cc0091204e61c",
            "review": {
              "n_blocking": 1,
              "n_findings": 2,
              "run": "12.3",
              "text": "blake3:094eb45ed95c98a5f14145b72294d10cff305d05067e4da333a1607486a3cead"
            },
            "runs": [
              {
                "agent": {
                  "harness": "claude",
                  "model": "opus",
                  "name": "main",
                  "version": "2.1.0"
                },
                "end": {
                  "code": 0,
                  "ended_at": 2000,
                  "reason": "exited",
                  "started_at": 1000
                },
                "files": {
                  "events": "blake3:75f9afdce0e724d60cb81d40e41f77fe55e58bcac29067a7c3595b9ef8e00e41"
                },
                "n_unrecorded": 1,
                "phase": "implement/1",
                "recording": {
                  "head": "blake3:ad967f16e19accc252e16b92c4d79ece950d51a2b18b62ae9dc3e7b9d913ab35",
                  "n_lines": 1
                },
                "run": "12.3",
                "sandbox": {
                  "achieved": {
                    "network": "isolated"
                  },
                  "engine": "bwrap"
                },
                "usage": {
                  "cost": {
                    "micros": 105
                  },
                  "n_calls": 2,
                  "tokens": {
                    "cache_read": 0,
                    "cache_write": 0,
                    "input": 10,
                    "output": 5
                  }
                }
              }
            ],
            "task": 12,
            "usage": {
              "cost": {
                "micros": 105
              },
              "n_calls": 2,
              "tokens": {
                "cache_read": 0,
                "cache_write": 0,
                "input": 10,
                "output": 5
              }
            },
            "v": 1,
            "zazen": "0.1.0"
          },
          "predicateType": "urn:zazen:receipt:v1",
          "subject": [
            {
              "digest": {
                "gitCommit": "cccccccccccccccccccccccccccccccccccccccc",
                "gitTree": "dddddddddddddddddddddddddddddddddddddddd"
              },
              "name": "local/tally"
            }
          ]
        }"#]].assert_eq(&pretty);
    assert_eq!(statement::parse(text.as_bytes()), Ok(sample()));
}

/// Each byte that is another makes it another statement, or none.
#[test]
fn no_byte_of_a_statement_is_without_meaning() {
    let text = statement::print(&sample()).into_bytes();
    for at in 0..text.len() {
        for flip in [0x01, 0x20] {
            let mut changed = text.clone();
            changed[at] ^= flip;
            if let Ok(other) = statement::parse(&changed) {
                assert_ne!(other, sample(), "byte {at}");
            }
        }
    }
}

#[test]
fn what_is_written_in_another_way_is_not_read() {
    let text = statement::print(&sample());
    let spaced = text.replacen(':', ": ", 1);
    assert_eq!(statement::parse(spaced.as_bytes()), Err(statement::ParseError::NotCanonical));
    let twice = text.replacen("{\"_type\"", "{\"_type\":\"x\",\"_type\"", 1);
    assert!(matches!(statement::parse(twice.as_bytes()), Err(statement::ParseError::Json(_))));
    let more = text.replacen("\"zazen\":", "\"zazen\":\"1\",\"zazenn\":", 1);
    assert!(matches!(statement::parse(more.as_bytes()), Err(statement::ParseError::Json(_))));
    let other = text.replacen("gitCommit\":\"c", "gitCommit\":\"d", 1);
    assert_eq!(statement::parse(other.as_bytes()), Err(statement::ParseError::Subject));
    let newer = text.replacen("\"v\":1", "\"v\":2", 1);
    assert_eq!(statement::parse(newer.as_bytes()), Err(statement::ParseError::Version(2)));
}

#[test]
fn only_the_names_of_parts_are_parts() {
    for part in Part::SINGLE {
        assert_eq!(part.to_string().parse(), Ok(part));
    }
    let run = RunId { task: TaskId(12), n: 3 };
    for of in OfRun::ALL {
        let part = Part::Run(run, of);
        assert_eq!(part.to_string().parse(), Ok(part));
    }
    let names = ["", "/issue.md", "../issue.md", "runs/12.3/../../x", "runs/012.3/spec.json"];
    for name in names.into_iter().chain(["runs/12.3/", "runs/12.3/token", "runs//spec.json"]) {
        assert_eq!(name.parse::<Part>(), Err(part::NotAPart), "{name}");
    }
}

#[test]
fn more_hosts_than_there_is_room_for_are_counted() {
    let mut traffic = crate::host::Traffic::default();
    for n in 0..HOSTS_MAX + 5 {
        traffic.reach(&format!("{n}.test:443"));
        traffic.refuse(&format!("{}\n{n}", "x".repeat(1000)));
    }
    let hosts = Hosts::of(&traffic);
    assert_eq!(hosts.reached.len(), HOSTS_MAX);
    assert!(hosts.refused.keys().all(|host| host.chars().count() <= NAME_CHARS_MAX));
    assert!(hosts.n_more >= 5);
}

#[test]
fn the_first_bad_line_of_a_recording_is_named() {
    let lines = ["one", "two", "three"];
    let mut whole = chain::Chain::default();
    let hashes: Vec<Hash> = lines.iter().map(|line| whole.push(line.as_bytes())).collect();
    let list: String = hashes.iter().map(chain::print_line).collect();
    assert_eq!(chain::parse_list(&list, &whole.sealed()), Ok(hashes.clone()));
    let found = |lines: &[&str]| {
        let bad = (1..)
            .zip(lines)
            .find_map(|(n, line)| chain::compare(&hashes, n, &Hash::of(line.as_bytes())));
        let missing = chain::Bad::Missing { line: lines.len() as u64 + 1 };
        bad.or((lines.len() < hashes.len()).then_some(missing))
    };
    assert_eq!(found(&lines), None);
    assert_eq!(found(&["one", "TWO", "three"]), Some(chain::Bad::Changed { line: 2 }));
    assert_eq!(found(&["one", "three"]), Some(chain::Bad::Moved { line: 2, belongs: 3 }));
    assert_eq!(found(&["two", "one", "three"]), Some(chain::Bad::Moved { line: 1, belongs: 2 }));
    assert_eq!(found(&["one", "two"]), Some(chain::Bad::Missing { line: 3 }));
    assert_eq!(found(&["one", "two", "three", "four"]), Some(chain::Bad::Added { line: 4 }));
}

#[test]
#[expect(clippy::format_collect, reason = "short lists, in no hurry")]
fn a_list_that_leads_elsewhere_is_worth_nothing() {
    let mut chain = chain::Chain::default();
    let list: String =
        ["a", "b"].iter().map(|line| chain::print_line(&chain.push(line.as_bytes()))).collect();
    let stated = chain.sealed();
    let swapped: String = list.lines().rev().map(|line| format!("{line}\n")).collect();
    for wrong in [swapped.as_str(), list.trim_end(), "", &format!("{list}\n"), &list[1..]] {
        assert!(chain::parse_list(wrong, &stated).is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_not_known_does_not_hold() {
    let mut report = Report::default();
    assert_eq!(report.verdict(), Verdict::Partial);
    report.add(Link::Envelope, Outcome::Holds);
    assert_eq!(report.verdict(), Verdict::Holds);
    report.add(Link::Plan, Outcome::Unknown { why: "it is not there".to_owned() });
    assert_eq!(report.verdict(), Verdict::Partial);
    report.add(Link::Cost, Outcome::Broken { why: "it is more".to_owned() });
    report.add(Link::Review, Outcome::Broken { why: "later".to_owned() });
    assert_eq!(report.verdict(), Verdict::Broken);
    assert_eq!(report.first_broken().unwrap().link, Link::Cost);
}

proptest! {
    #[test]
    fn nothing_that_is_not_a_statement_breaks_the_reading(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        prop_assert!(statement::parse(&bytes).is_err());
        prop_assert!(Envelope::parse(&bytes).is_err());
    }
}
