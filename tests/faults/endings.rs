//! Answers that arrive whole, and why they ended: an answer that was cut short, refused or paused is no failure.

use crate::ask;
use crate::support::server::Server;
use crate::support::wires::{TEXT, WIRES, Wire};

/// Streams the answer or gives it in one piece, with other words in it.
fn answering(wire: Wire, streamed: bool, old: &str, new: &str) -> Server {
    if streamed {
        return wire.streaming(wire.events_with(old, new));
    }
    Server::answering(200, &[crate::JSON], wire.whole.replace(old, new))
}

#[test]
fn a_good_answer_is_taken() {
    // What the faults are measured against.
    for wire in WIRES {
        for streamed in [true, false] {
            let server = answering(wire, streamed, "", "");
            let result = ask(&wire, &server).ok().json();
            assert_eq!(result["text"], TEXT);
            assert_eq!(result["finish"], "stop");
            assert_eq!(result["usage"]["input"], 7);
            assert_eq!(result["usage"]["output"], 5);
            assert!(server.request().path.ends_with(wire.path), "{:?}", server.request().path);
        }
    }
}

#[test]
fn why_it_ended_is_told() {
    for wire in WIRES {
        assert!(wire.whole.contains(wire.ending) && wire.stream.iter().any(|it| it.1.contains(wire.ending)));
        for (words, finish) in wire.endings {
            for streamed in [true, false] {
                let server = answering(wire, streamed, wire.ending, words);
                let outcome = ask(&wire, &server);
                let context = format!("{} {words}, streamed: {streamed}: {outcome:?}", wire.model);
                assert_eq!(outcome.code, Some(i32::from(*finish == "error")), "{context}");
                let result = outcome.json();
                assert_eq!(
                    (&result["text"], &result["finish"]),
                    (&TEXT.into(), &(*finish).into()),
                    "{context}"
                );
                // The provider's own word is kept.
                let own = result["raw_finish"].as_str().unwrap();
                assert!(words.contains(own.rsplit(':').next().unwrap()), "{context}");
            }
        }
    }
}
