//! The contract in `wit/`, as Rust types and imports. Generated; use the names that the crate re-exports.
#![allow(missing_docs, unreachable_pub, clippy::all)]

wit_bindgen::generate!({
    path: "../wit",
    world: "aimu:provider/provider-http",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_world",
    default_bindings_module: "aimu_sdk::bindings",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["stream-error"],
});
