//! Where a model fails, the next is asked, with the whole history and the tools.

use crate::script::{Say, Script, call};
use crate::{place, toolbox, weather};
use aimu_host::{FailureKind, Setup};
use serde_json::json;

fn setup(fallbacks: &[&Script]) -> Setup {
    Setup { fallbacks: fallbacks.iter().map(|script| script.model()).collect(), ..Setup::default() }
}

#[tokio::test]
async fn the_next_gets_the_whole_history() {
    let place = place();
    let (first, second) =
        (Script::new([Say::Text("One."), Say::Status(500)]), Script::new([Say::Text("Two.")]));
    let mut client = place.host.client_with(first.model(), setup(&[&second])).await.unwrap();
    assert_eq!(client.chat("a").await.unwrap().text, "One.");
    assert!(second.requests().is_empty());
    let answer = client.chat("b").await.unwrap();
    assert_eq!(answer.text, "Two.");
    let warning = &answer.warnings[0];
    assert!(
        warning.contains(&format!("{} is asked instead", second.model())) && warning.contains("500"),
        "{warning}"
    );
    assert_eq!(second.requests()[0]["messages"].as_array().unwrap().len(), 3);
    // The next turn begins with the first again.
    client.chat("c").await.unwrap();
    assert_eq!((first.requests().len(), client.history().len()), (3, 6));
    // A prompt by itself, too.
    assert_eq!(client.generate("p").await.unwrap().text, "Two.");
}

#[tokio::test]
async fn in_the_middle_of_a_run_it_goes_on_where_the_first_was() {
    let place = place();
    let first = Script::new([call("weather", r#"{"city":"Oslo"}"#), Say::Status(503)]);
    let second = Script::new([call("weather", r#"{"city":"Rome"}"#), Say::Text("Both.")]);
    let mut client = place.host.client_with(first.model(), setup(&[&second])).await.unwrap();
    let answer = client.chat("?").toolbox(toolbox([weather()])).await.unwrap();
    assert_eq!(answer.text, "Both.");
    assert_eq!(second.told(), ["snow", "sunny"]);
    assert!(second.requests().iter().all(|request| request["tools"].as_array().unwrap().len() == 1));
    assert_eq!(client.history().len(), 6);
}

#[tokio::test]
async fn after_the_first_event_a_failure_is_a_failure() {
    let place = place();
    let (first, second) = (Script::new([Say::Cut("Hal")]), Script::new([Say::Text("Two.")]));
    let mut client = place.host.client_with(first.model(), setup(&[&second])).await.unwrap();
    assert_eq!(client.chat("?").await.unwrap_err().kind, FailureKind::Protocol);
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn when_all_have_failed_each_is_told() {
    let place = place();
    let scripts = [500, 429, 401].map(|status| Script::new([Say::Status(status)]));
    let [first, second, third] = &scripts;
    let mut client = place.host.client_with(first.model(), setup(&[second, third])).await.unwrap();
    let failure = client.chat("?").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Server);
    assert!(failure.message.starts_with("all 3 models failed"), "{failure}");
    for (script, status) in scripts.iter().zip(["500", "429", "401"]) {
        assert!(failure.message.contains(status), "{failure}");
        assert_eq!(script.requests().len(), 1);
    }
    assert!(client.history().is_empty());
}

#[tokio::test]
async fn one_that_there_is_not_is_a_mistake_and_one_without_a_key_is_told_when_it_is_needed() {
    let place = place();
    let (good, bad) = (Script::new([Say::Text("One.")]), Script::new([Say::Status(500)]));
    let with = |name: &str| Setup { fallbacks: vec![name.to_owned()], ..Setup::default() };
    for wrong in ["nowhere:m", "gpt"] {
        let failure = place.host.client_with(good.model(), with(wrong)).await.err().unwrap();
        assert!(failure.message.contains(wrong.split(':').next().unwrap()), "{failure}");
    }
    // There is no key for it here.
    let keyless = "cohere:command-r-plus";
    let mut client = place.host.client_with(good.model(), with(keyless)).await.unwrap();
    assert_eq!(client.chat("?").await.unwrap().text, "One.");
    let mut client = place.host.client_with(bad.model(), with(keyless)).await.unwrap();
    let failure = client.chat("?").await.unwrap_err();
    assert!(failure.message.contains("CO_API_KEY"), "{failure}");
}

#[tokio::test]
async fn what_the_next_does_not_take_is_dropped_for_it_alone() {
    let place = place();
    let (first, second) = (Script::new([Say::Status(500)]), Script::new([Say::Text("Two.")]));
    let mut client = place.host.client_with(first.model(), setup(&[&second])).await.unwrap();
    client.defaults_mut().options = [("temperature".to_owned(), json!(0.5))].into_iter().collect();
    client.chat("?").await.unwrap();
    assert_eq!(first.requests()[0]["temperature"], 0.5);
    assert_eq!(second.requests()[0]["temperature"], 0.5);
}
