//! The state of one call's store: everything that the guest can reach, and nothing else.

use super::log::GuestLog;
use super::meter::Meter;
use crate::egress::Egress;
use crate::limits::Limits;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// What the store of one call holds.
pub(super) struct State {
    pub(super) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    pub(super) egress: Egress,
    pub(super) meter: Meter,
    pub(super) log: GuestLog,
}

impl State {
    pub(super) fn new(plugin: &Arc<str>, limits: &Limits, egress: Egress) -> Self {
        let log = GuestLog::new(plugin.clone(), limits);
        let mut http = WasiHttpCtx::new();
        // In-memory size, thus above the limit on the wire's bytes.
        http.set_field_size_limit(limits.response_headers.saturating_mul(2));
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.resources);
        Self {
            table,
            // No files, environment, arguments; the builder's own default is to refuse every socket.
            wasi: WasiCtx::builder()
                .stdout(log.clone())
                .stderr(log.clone())
                .allow_tcp(false)
                .allow_udp(false)
                .allow_ip_name_lookup(false)
                .socket_addr_check(|_, _| Box::pin(async { false }))
                .build(),
            http,
            egress,
            meter: Meter::new(*limits),
            log,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.egress }
    }
}
