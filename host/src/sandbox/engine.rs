//! One engine for the whole program, and the road from bytes to something that can be called.

use super::cache::Cache;
use super::digest::Digest;
use super::meter::EPOCH;
use super::store::{HOSTCALL_BYTES, State};
use super::v0_1;
use crate::limits::Limits;
use crate::model::{Failure, FailureKind, Result};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Once;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

/// The engine, what is linked into every component, and the cache of compiled code.
pub(crate) struct Sandbox {
    engine: Engine,
    linker: Linker<State>,
    cache: Cache,
    /// Names the engine in the cache: version and settings.
    engine_key: String,
    ticker: Once,
}

impl Sandbox {
    pub(crate) fn new(cache: Cache) -> Result<Self> {
        Self::try_new(cache).map_err(|error| {
            Failure::new(FailureKind::Internal, format!("could not start the WebAssembly engine: {error:#}"))
        })
    }

    fn try_new(cache: Cache) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config
            .epoch_interruption(true)
            .wasm_component_model(true)
            // Threads in a guest would compute where no epoch is counted.
            .wasm_threads(false)
            // Deep recursion is the guest's own problem, far from the host's stack.
            .max_wasm_stack(512 << 10)
            .async_stack_size(1 << 20);
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        v0_1::add_to_linker(&mut linker)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine_key = format!("{:016x}", hasher.finish());
        Ok(Self { engine, linker, cache, engine_key, ticker: Once::new() })
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Links a component that is already compiled, if the cache has it.
    pub(super) fn load(&self, digest: &Digest) -> Option<v0_1::Linked> {
        let path = self.cache.compiled(&self.engine_key, digest)?;
        // SAFETY: `Cache` gives the path only if the file is ours and nobody else can write it, in a folder that
        // nobody else can enter; what lies there was written whole by `write_compiled` from this engine's output.
        #[expect(unsafe_code, reason = "there is no safe road to compiled code")]
        let component = unsafe { Component::deserialize_file(&self.engine, &path) };
        match component.and_then(|component| self.link(&component)) {
            Ok(pre) => Some(pre),
            Err(error) => {
                tracing::warn!("compiling {digest} again, since its cached code does not load: {error:#}");
                None
            }
        }
    }

    /// Compiles a component, keeps its code, and links it. Takes 0.1 s, or 7 s for an interpreter.
    pub(super) fn compile(&self, bytes: &[u8], digest: &Digest) -> Result<v0_1::Linked> {
        let unfit = |error: wasmtime::Error| {
            Failure::new(FailureKind::Unsupported, format!("its component can't be loaded: {error:#}"))
        };
        let component = Component::from_binary(&self.engine, bytes).map_err(unfit)?;
        let pre = self.link(&component).map_err(unfit)?;
        if let Ok(code) = component.serialize() {
            self.cache.write_compiled(&self.engine_key, digest, &code);
        }
        Ok(pre)
    }

    fn link(&self, component: &Component) -> wasmtime::Result<v0_1::Linked> {
        v0_1::Linked::new(&self.linker.instantiate_pre(component)?)
    }

    /// A fresh store for one call.
    pub(super) fn store(&self, state: State, hostcall_bytes: usize) -> Store<State> {
        self.start_ticker();
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.meter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| context.data_mut().meter.tick());
        store.set_hostcall_fuel(hostcall_bytes.max(HOSTCALL_BYTES));
        store
    }

    /// Starts the clock that epochs are counted by; it ends with the engine.
    fn start_ticker(&self) {
        self.ticker.call_once(|| {
            let engine = self.engine.weak();
            let ticker = std::thread::Builder::new().name("epoch".to_owned()).spawn(move || {
                while let Some(engine) = engine.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(EPOCH);
                }
            });
            if let Err(error) = ticker {
                // Without epochs a spin is ended by the outer deadline only where it waits; say so loudly.
                tracing::error!("no thread for the CPU clock of plugins: {error}");
            }
        });
    }
}

/// The limits of a question that needs no network: `describe`.
pub(super) fn offline_limits() -> Limits {
    Limits { total: std::time::Duration::from_secs(20), ..Limits::default() }
}
