//! The contract in `wit/`, as Rust types and imports. Generated; use the names that the crate re-exports.
#![allow(missing_docs, unreachable_pub, clippy::all)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "aimu:provider/provider-http",
    generate_all,
    pub_export_macro: true,
    export_macro_name: "export_world",
    default_bindings_module: "aimu_sdk::bindings",
    additional_derives: [PartialEq],
    additional_derives_ignore: ["stream-error"],
});

/// The optional exports: a world for each, so that a component exports what it has and nothing else. They share the
/// data of the world above, and what a component does not export leaves nothing in it.
pub mod optional {
    /// `interface embedding`.
    pub mod embedding {
        wit_bindgen::generate!({
            path: "../../wit",
            inline: "package aimu:sdk; world embedding { export aimu:provider/embedding@0.1.0; }",
            world: "aimu:sdk/embedding",
            with: { "aimu:provider/data@0.1.0": crate::bindings::aimu::provider::data },
            pub_export_macro: true,
            export_macro_name: "export_embedding",
            default_bindings_module: "aimu_sdk::bindings::optional::embedding",
            additional_derives: [PartialEq],
        });
    }

    /// `interface tokens`.
    pub mod tokens {
        wit_bindgen::generate!({
            path: "../../wit",
            inline: "package aimu:sdk; world tokens { export aimu:provider/tokens@0.1.0; }",
            world: "aimu:sdk/tokens",
            with: { "aimu:provider/data@0.1.0": crate::bindings::aimu::provider::data },
            pub_export_macro: true,
            export_macro_name: "export_tokens",
            default_bindings_module: "aimu_sdk::bindings::optional::tokens",
        });
    }

    /// `interface library`.
    pub mod library {
        wit_bindgen::generate!({
            path: "../../wit",
            inline: "package aimu:sdk; world library { export aimu:provider/library@0.1.0; }",
            world: "aimu:sdk/library",
            with: {
                "aimu:provider/data@0.1.0": crate::bindings::aimu::provider::data,
                "aimu:provider/host@0.1.0": crate::bindings::aimu::provider::host,
            },
            pub_export_macro: true,
            export_macro_name: "export_library",
            default_bindings_module: "aimu_sdk::bindings::optional::library",
        });
    }
}

/// Package `aimu:tool`: what a component of tools exports. It shares the data of the world above, too.
pub mod tool {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "aimu:tool/tool",
        with: {
            "aimu:provider/data@0.1.0": crate::bindings::aimu::provider::data,
            "aimu:provider/host@0.1.0": crate::bindings::aimu::provider::host,
        },
        pub_export_macro: true,
        export_macro_name: "export_tool_world",
        default_bindings_module: "aimu_sdk::bindings::tool",
        additional_derives: [PartialEq],
    });
}
