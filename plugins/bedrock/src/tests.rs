//! Requests and answers that no recorded case has, and the shapes of those that do.
#![allow(clippy::unwrap_used)]

mod answers;
mod requests;
mod thoughts;

use serde_json::Value;

use super::*;

#[test]
fn the_description_is_sound() {
    let description = Bedrock::describe();
    let schema: Value = serde_json::from_str(&description.settings_schema.unwrap()).unwrap();
    let [key, keys] = description.credentials.as_slice() else { unreachable!() };
    let CredentialPlacement::AwsSigv4(placement) = &keys.placement else { unreachable!() };
    assert_eq!(schema["properties"][&placement.region_setting]["default"], "us-east-1");
    let base = description.default_base_url.unwrap();
    assert!(base.contains("{region}"));
    // Keys go to both servers.
    for credential in [key, keys] {
        assert_eq!(credential.send_to[..], [base.clone(), description.origins[0].clone()]);
    }
    assert_eq!(key.group, keys.group);
    assert!(key.required && keys.required && description.open_catalog);
}
