//! One turn that calls tools of every sort of source at once.

use crate::script::{Say, Script};
use crate::support::example;
use crate::world::World;
use aimu_host::{Approval, Function, Host, ToolContext, ToolOutcome};
use serde_json::{Map, Value, json};

#[tokio::test]
async fn a_function_a_server_a_component_and_a_builtin_answer_in_one_turn() {
    let world = World::new().server("tests", "good", "", "");
    let plugins = world.path().join("plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::copy(example("aimu-tool-calculator"), plugins.join("calculator.wasm")).unwrap();
    let builder = Host::builder().home(aimu_host::Home::at(world.path())).config_file(world.config_file());
    let host = builder.plugin_dir(&plugins).build().unwrap();

    let mut toolbox = host.toolbox(&["tests__echo", "calculator__*", "calculate"]).await.unwrap();
    let here = Function::new("here", "Where we are", |_: ToolContext, _: Map<String, Value>| async {
        Ok::<_, String>("in a test")
    });
    toolbox.add(here).unwrap();
    let names: Vec<&str> = toolbox.definitions().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["calculate", "calculator__evaluate", "tests__echo", "here"]);
    toolbox.approve("*", Approval::Allow).unwrap();

    let script = Script::new([
        Say::Call(vec![
            ("tests__echo", json!({"text": "from a server"}).to_string()),
            ("here", "{}".to_owned()),
            ("calculator__evaluate", json!({"expression": "6 * 7"}).to_string()),
            ("calculate", json!({"expression": "2^10"}).to_string()),
        ]),
        Say::Text("All four."),
    ]);
    let mut client = host.client(script.model()).await.unwrap();
    let answer = client.chat("?").toolbox(toolbox).await.unwrap();
    assert_eq!(answer.text, "All four.");
    assert!(
        answer.tool_runs.iter().all(|run| run.outcome == ToolOutcome::Ran && !run.is_error),
        "{answer:?}"
    );
    let told = script.told();
    assert!(told[0].contains("from a server"), "{told:?}");
    assert_eq!(told[1..], ["in a test", "42", "1024"]);
}
