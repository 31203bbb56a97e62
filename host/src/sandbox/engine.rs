//! One engine for the whole program, and the road from bytes to something that can be called.

use super::cache::Cache;
use super::compile::{self, Compiler};
use super::digest::Digest;
use super::meter::EPOCH;
use super::store::State;
use super::v0_1;
use crate::limits::Limits;
use crate::model::{Failure, FailureKind, Result};
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Once};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

/// The engine, what is linked into every component, and the cache of compiled code.
pub(crate) struct Sandbox {
    engine: Engine,
    linker: Linker<State>,
    cache: Cache,
    compiler: Compiler,
    /// Names the engine in the cache: version and settings.
    engine_key: String,
    ticker: Once,
}

impl Sandbox {
    pub(crate) fn new(cache: Cache, limits: &Limits, compiler: Compiler) -> Result<Self> {
        Self::try_new(cache, limits.stack, compiler).map_err(|error| {
            Failure::new(FailureKind::Internal, format!("could not start the WebAssembly engine: {error:#}"))
        })
    }

    fn try_new(cache: Cache, stack: usize, compiler: Compiler) -> wasmtime::Result<Self> {
        let engine = Engine::new(&config(stack))?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        v0_1::add_to_linker(&mut linker)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine_key = format!("{:016x}", hasher.finish());
        Ok(Self { engine, linker, cache, compiler, engine_key, ticker: Once::new() })
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

    /// Compiles a component, keeps its code, and links it. Takes 0.1 s, or 7 s for an interpreter. One that is `trusted`
    /// came with the program.
    pub(super) async fn compile(
        self: &Arc<Self>,
        bytes: Cow<'static, [u8]>,
        digest: &Digest,
        limits: &Limits,
        trusted: bool,
    ) -> Result<v0_1::Linked> {
        let (sandbox, digest) = (self.clone(), digest.clone());
        if trusted || self.compiler == Compiler::Here {
            let here = tokio::task::spawn_blocking(move || {
                let component = Component::from_binary(&sandbox.engine, &bytes).map_err(unfit)?;
                let code = component.serialize().map_err(unfit)?;
                sandbox.keep(&component, &digest, &code)
            });
            return match tokio::time::timeout(compile::patience(limits), here).await {
                Ok(compiled) => compiled.map_err(lost)?,
                Err(_) => Err(compile::too_long(limits)),
            };
        }
        let code = compile::compile_apart(&bytes, limits).await?;
        let loading = tokio::task::spawn_blocking(move || {
            // SAFETY: this is the output of this same program's compiler, by a pipe of ours that nobody else can write;
            // the engine checks that it was made by its own version and settings.
            #[expect(unsafe_code, reason = "there is no safe road to compiled code")]
            let component = unsafe { Component::deserialize(&sandbox.engine, &code) };
            sandbox.keep(&component.map_err(unfit)?, &digest, &code)
        });
        loading.await.map_err(lost)?
    }

    /// Links a component; keeps its code if that went well.
    fn keep(&self, component: &Component, digest: &Digest, code: &[u8]) -> Result<v0_1::Linked> {
        let pre = self.link(component).map_err(unfit)?;
        self.cache.write_compiled(&self.engine_key, digest, code);
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
        store.set_hostcall_fuel(hostcall_bytes);
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

/// What every engine is set up with, and whoever compiles for it. `stack`: bytes that a guest's machine code may take.
pub(super) fn config(stack: usize) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .wasm_component_model(true)
        // Threads in a guest would compute where no epoch is counted.
        .wasm_threads(false)
        // Deep recursion is the guest's own problem, far from the host's stack.
        .max_wasm_stack(stack)
        .async_stack_size(stack.saturating_add(HOST_STACK));
    config
}

/// What the host's own functions take of a call's stack, at most.
const HOST_STACK: usize = 512 << 10;

fn unfit(error: wasmtime::Error) -> Failure {
    Failure::new(FailureKind::Unsupported, format!("its component can't be loaded: {error:#}"))
}

/// A thread that ended badly.
fn lost(error: tokio::task::JoinError) -> Failure {
    Failure::new(FailureKind::Internal, format!("compiling it failed inside the host: {error}"))
}

/// The limits of a question that needs no network: `describe`.
pub(super) fn offline_limits(limits: &Limits) -> Limits {
    let usual = Limits::default();
    // A deadline for answers of servers is none for this; what it needs of the machine is what a call may have.
    Limits { total: std::time::Duration::from_secs(20), cpu: usual.cpu, ..*limits }
}
