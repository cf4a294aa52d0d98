//! Everything that is tested from outside, in one binary: each further one is a link of its own.

#![allow(clippy::disallowed_methods, reason = "tests wait for processes, a condition at a time")]

mod ansible_runs;
mod api_access;
mod backtest;
mod command_line;
mod console;
mod daemon_process;
mod decide;
mod deployment;
mod doctor;
mod drill;
mod grafana_contract;
mod haproxy_contract;
mod linode_client;
mod policy_files;
mod policy_schema;
mod policy_tests;
mod prometheus_reads;
mod query_command;
mod sandbox_clients;
mod sandbox_document;
mod shell_help;
mod simulate_command;
mod storeys;
mod webhooks;
