//! Errors that servers report: by status, in disguise, and in the middle of a stream.

use crate::support::server::Server;
use crate::support::wires::WIRES;
use crate::{JSON, contains, failure};

/// A proxy's page.
const PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>";

#[test]
fn statuses() {
    for wire in WIRES {
        for (status, kind) in [
            (400, "invalid-request"),
            (401, "authentication"),
            (403, "permission"),
            (404, "not-found"),
            (429, "rate-limited"),
            (500, "server"),
            (502, "server"),
            (503, "overloaded"),
            (529, "overloaded"),
        ] {
            // With a body of the API's, with one of a proxy's, and with none.
            let refusal = (wire.refusal)(status);
            let mut headers = refusal.headers.clone();
            headers.extend([JSON, (wire.request_id, "req_7")]);
            let server = Server::answering(status, &headers, refusal.body);
            let error = failure(&wire, &server, &[kind])["error"].take();
            assert_eq!(error["http_status"], status, "{error}");
            assert!(contains(&error["message"], "it said no"), "{error}");
            assert!(contains(&error["provider_error"].to_string().into(), "it said no"), "{error}");
            assert_eq!(error["request_id"], "req_7", "{error}");
            server.request();

            let page =
                failure(&wire, &Server::answering(status, &[("content-type", "text/html")], PAGE), &[kind]);
            assert_eq!(page["error"]["http_status"], status, "{page}");
            assert!(contains(&page["error"]["message"], "502 bad gateway"), "{page}");
            assert!(!contains(&page["error"]["message"], "<"), "{page}");
            let nothing = failure(&wire, &Server::answering(status, &[], ""), &[kind]);
            assert_eq!(nothing["error"]["http_status"], status, "{nothing}");
        }
    }
}

#[test]
fn a_rate_limit_says_how_long() {
    for wire in WIRES {
        for status in [429, 503, 529] {
            let kind = if status == 429 { "rate-limited" } else { "overloaded" };
            for (header, value, milliseconds) in [
                ("retry-after", "7", 7000),
                ("retry-after-ms", "250", 250),
                ("Retry-After", "0", 0),
                ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT", 10_000),
            ] {
                let refusal = (wire.refusal)(status);
                let headers = [JSON, ("date", "Sun, 06 Nov 1994 08:49:37 GMT"), (header, value)];
                let server = Server::answering(status, &headers, refusal.body);
                let result = failure(&wire, &server, &[kind]);
                assert_eq!(result["error"]["retry_after_ms"], milliseconds, "{value}: {result}");
            }
        }
    }
}

#[test]
fn errors_under_status_200() {
    for wire in WIRES {
        // In the API's own form, and in that of a gateway before it.
        let gateway = (r#"{"error":{"type":"x","message":"it broke"}}"#, "server");
        for (body, kind) in [wire.disguise, gateway] {
            let result = failure(&wire, &Server::answering(200, &[JSON], body), &[kind]);
            assert!(contains(&result["error"]["message"], "it broke"), "{result}");
        }
    }
}

#[test]
fn an_error_in_the_middle_of_a_stream() {
    for wire in WIRES {
        for (event, kind) in wire.breaks {
            let error = wire.framing.frame(*event);
            // With more after it, which is not heard any more, and as the last there is.
            for rest in [wire.events()[wire.opening().len()..].to_vec(), Vec::new()] {
                let stream = [wire.opening(), vec![error.clone()], rest].concat();
                let result = failure(&wire, &wire.streaming(stream), &[kind]);
                assert!(contains(&result["error"]["message"], "it broke"), "{event:?}: {result}");
                assert_eq!(result["text"], "Hello", "{event:?}: {result}");
                assert!(!result["error"]["provider_error"].is_null(), "{event:?}: {result}");
            }
            // Instead of an answer.
            let result = failure(&wire, &wire.streaming(vec![error]), &[kind]);
            assert!(contains(&result["error"]["message"], "it broke"), "{event:?}: {result}");
        }
    }
}
