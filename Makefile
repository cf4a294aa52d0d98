# make test    everything: format, lints, deploy/check, unit, property, snapshot and contract tests, and the lab (root)
# make quick   the same without the lab (no root)
# make soak    the properties of deciding and planning, with fresh chance and many cases: CASES=5000
# make deploy-lab   the reference deployment, from nothing, on this machine (root)
# make churn   nodes come and go under load while balancers are reloaded; takes a quiet machine (root)
# make demo    Windlass scales a real pool on this machine, before your eyes (root)
# make build   the binary
# make package the Debian package, with completions and manual pages (needs cargo-deb), into target/debian
# make bench   how fast deciding, planning and rehearsing are, on this machine
# make record  what the shipped policies come to on recorded traffic, into policies/recorded

# The lab needs what tests/lab/install puts in place; where cargo-nextest is absent, cargo's own runner does.
nextest := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
ifeq ($(nextest),yes)
  run_tests = cargo nextest run
  without_lab = -E 'not binary(lab)'
else
  run_tests = cargo test
  without_lab = --lib --bins --test it
endif

# Chance doesn't decide whether a change is good: properties draw the same cases each time, and `make soak` draws others.
export PROPTEST_RNG_SEED ?= 20260101
CASES ?= 5000

.PHONY: test churn soak deploy-lab quick demo build package bench record lints

build:
	cargo build --locked

package:
	cargo build --profile dist --locked --bin windlass
	deploy/debian-help target/dist/windlass target/help
	cargo deb --profile dist --no-build

test:
	tests/lab/install
	-tests/tools/fetch-haproxy
	$(MAKE) lints
	deploy/check
	cargo test --doc --locked
	$(run_tests) --locked

# The reference deployment stands up by itself, in network namespaces of this machine: tries what it promises (root, minutes).
deploy-lab:
	deploy/lab/install
	cargo build --locked --bin windlass
	deploy/lab/run

churn:
	tests/lab/install
	tests/tools/fetch-haproxy
	cargo nextest run --locked --test lab --run-ignored only -E 'test(churn)'

quick: lints
	cargo test --doc --locked
	$(run_tests) --locked $(without_lab)

# Optimised, or it takes hours. A failure prints its case, and the line that repeats it.
soak:
	env -u PROPTEST_RNG_SEED PROPTEST_CASES=$(CASES) cargo test --locked --lib --config profile.dev.opt-level=1 -- \
	  engine::tests_properties engine::tests_distances planner::tests::properties

lints:
	cargo fmt --all --check
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; fi
	cargo clippy --all-targets --locked -- -D warnings

bench:
	cargo bench --locked --package windlass-benches

record:
	WINDLASS_RECORD=1 $(run_tests) --locked --test it backtest::shipped

demo:
	tests/lab/install
	cargo build --locked --bin windlass --example lab-load
	deploy/demo/run
