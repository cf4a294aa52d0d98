# promises.sh: what the deployment promises, each a function that fails when it is not so. Sourced by inside.
PROMISES='stands_up_with_one_command a_second_run_changes_nothing a_check_run_works nodes_come_and_serve
  prometheus_finds_them nobody_from_outside_reaches_the_vlan a_lagging_replica_begins_to_lag a_backup_comes_back
  a_reload_loses_no_server the_address_moves the_lag_is_told'

began=$(date +%s)
say() { printf '%4ds  %s\n' $(($(date +%s) - began)) "$*"; }
give_up() {
  local host
  say "NOT SO: $*" >&2
  for host in $hosts; do
    timeout 10 ssh -i $LAB/operator -o UserKnownHostsFile=$LAB/known_hosts -o LogLevel=ERROR "root@$VLAN.${host#*:}" \
      'journalctl --no-pager -b -p notice' > "$results/${host%:*}.journal" 2> /dev/null || true
  done
  # To look around: nsenter --target PID --all, with the PID of this script's sleep.
  sleep "${DEPLOY_LAB_LOOK_SECONDS:-0}"
  exit 1
}
ssh_answers() { timeout 2 bash -c "exec 3<>/dev/tcp/$1/22; read -t 1 -u 3 line; [[ \$line == SSH* ]]" 2> /dev/null; }
# wait_until SECONDS WHAT COMMAND…
wait_until() {
  local deadline=$(($(date +%s) + $1)) what=$2; shift 2
  until "$@"; do
    [ "$(date +%s)" -lt $deadline ] || give_up "$what, after $deadline s"
    sleep 0.3
  done
}
on() {
  ssh -i $LAB/operator -o BatchMode=yes -o UserKnownHostsFile=$LAB/known_hosts -o StrictHostKeyChecking=accept-new \
    -o LogLevel=ERROR "root@$VLAN.$1" "${@:2}"
}
play() {
  local name=$1; shift
  (cd "$top/deploy/ansible" && ansible-playbook -i $LAB/inventory/hosts.yml site.yml "$@") > "$results/$name.log" 2>&1 ||
    { tail -n 40 "$results/$name.log" >&2; give_up "$name: the playbook failed"; }
}
# ask PROMQL: the value of the first series, or nothing.
ask() {
  nsenter --net=/run/netns/monitor1 curl -s -G "http://$VLAN.5:9090/api/v1/query" --data-urlencode "query=$1" |
    jq -r '.data.result[0].value[1] // empty'
}
is() { [ "$(ask "$1")" = "$2" ]; }
call() { nsenter --net=/run/netns/cli curl -s -k --max-time 3 -o /dev/null -w '%{http_code}' "https://$PUBLIC.100$1"; }
answers_200() { [ "$(call /notifications)" = 200 ]; }
servers_up() { on "$1" "echo 'show servers state notifications' | socat - UNIX-CONNECT:/run/haproxy/admin.sock" | awk 'NR > 2 && $6 == 2 && $5 != "127.0.0.1"' | wc -l; }
two_up() { [ "$(servers_up "$1")" = 2 ]; }

stands_up_with_one_command() {
  local from; from=$(date +%s)
  play first-run
  say "six hosts stand, from nothing, by one command in $(($(date +%s) - from)) s"
}

a_second_run_changes_nothing() {
  play second-run
  ! grep -E 'changed=[1-9]' "$results/second-run.log" || give_up "the second run changed something"
  say "a second run changes nothing"
}

a_check_run_works() {
  play check-run --check --diff
  ! grep -E 'changed=[1-9]' "$results/check-run.log" || give_up "the check run would change something"
  say "check mode works and would change nothing"
}

nodes_come_and_serve() {
  wait_until 240 "two nodes on lb1" two_up 3
  wait_until 60 "two nodes on lb2" two_up 4
  wait_until 30 "an answer through TLS, HAProxy, nginx and the application" answers_200
  [ "$(call /)" = 404 ] || give_up "the main application answers $(call /), not what nobody configured"
  say "the daemon made two nodes; $PUBLIC.100 answers through TLS, HAProxy and nginx"
  say "the phases of a node's life, in seconds: $(on 2 'curl -s http://127.0.0.1:8377/api/v1/pools/notifications/learned' |
    jq -r 'map("\(.phase) \(.median_seconds)") | join(", ")')"
}

prometheus_finds_them() {
  wait_until 90 "two scraped nodes" is 'count(up{job="notifications",pool="notifications"} == 1)' 2
  wait_until 60 "their machines' metrics" is 'count(up{job="node",pool="notifications"} == 1)' 2
  wait_until 60 "every fixed host" is 'count(up{job="node",pool=""} == 1)' 6
  wait_until 60 "the daemon's metrics" is 'sum(windlass_nodes{state="in_service"})' 2
  wait_until 60 "both databases" is 'count(mysql_up == 1)' 2
  say "Prometheus found both nodes through the daemon, and every fixed host"
}

nobody_from_outside_reaches_the_vlan() {
  local net door
  for net in $VLAN $PUBLIC; do
    for door in 2:8377 2:8378 3:9999 3:8405 5:9090 5:9093 6:3306 6:9104; do
      ! from_outside "$net.${door%:*}" "${door#*:}" || give_up "a caller from outside reaches $net.$door"
    done
  done
  from_outside $PUBLIC.3 443 || give_up "a caller does not reach a balancer: then the doors above prove nothing"
  # And over the VLAN, what a host has no business with: a database asks a balancer's runtime API.
  ! on 6 "timeout 2 bash -c 'exec 3<>/dev/tcp/$VLAN.3/9999'" 2> /dev/null || give_up "a database reaches a balancer's runtime API"
  on 2 "timeout 2 bash -c 'exec 3<>/dev/tcp/$VLAN.3/9999'" || give_up "the control host does not reach the runtime API"
  [ "$(on 5 "curl -s -o /dev/null -w '%{http_code}' http://$VLAN.2:8378/api/v1/pools")" = 404 ] || give_up "the API can be reached over the VLAN"
  say "from outside nothing of the VLAN is reached; inside, only who needs a door gets through it"
}

from_outside() { nsenter --net=/run/netns/cli timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2> /dev/null; }

a_lagging_replica_begins_to_lag() {
  wait_until 60 "a replica that follows" is 'mysql_slave_status_seconds_behind_master' 0
  on 6 "mariadb notifications -e 'CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)'"
  wait_until 20 "the row on the replica" replicated
  on 7 "mariadb -e 'STOP REPLICA; CHANGE MASTER TO MASTER_DELAY = 600; START REPLICA'"
  on 6 "mariadb notifications -e 'INSERT INTO t VALUES (2)'"
  say "a row went from the primary to the replica; from now on the replica lags"
}
replicated() { [ "$(on 7 "mariadb --batch --skip-column-names notifications -e 'SELECT COUNT(*) FROM t'" 2> /dev/null)" = 1 ]; }

a_backup_comes_back() {
  on 6 'systemctl start mariadb-backup && systemctl start mariadb-restore-drill && journalctl -u mariadb-restore-drill -o cat | grep "tables came back"' \
    > "$results/drill.log" || give_up "the backup or its restore failed"
  say "a backup was made, restored elsewhere and counted: $(tail -n 1 "$results/drill.log")"
}

a_reload_loses_no_server() {
  probe 8 "$results/reload.json" & local eyes=$!
  sleep 1
  on "$(holder)" 'systemctl reload haproxy'
  wait $eyes || give_up "a reload of HAProxy failed requests: $(cat "$results/reload.json")"
  say "HAProxy was reloaded under load: $(cat "$results/reload.json")"
}

probe() { nsenter --net=/run/netns/cli python3 "$here/probe.py" "https://$PUBLIC.100/notifications" "$1" > "$2"; }
# Which balancer has the address: 3 or 4.
holder() { ip -n lb1 -o addr show eth0 | grep -q "$PUBLIC.100/" && echo 3 || echo 4; }

the_address_moves() {
  local first; first=$(holder)
  probe 20 "$results/failover.json" & local eyes=$!
  sleep 2
  destroy "lb$((first - 2))"
  wait $eyes || true
  jq -e '.longest_gap_seconds < 6 and .answered > 100 and .last_second_failed == 0' "$results/failover.json" > /dev/null ||
    give_up "the address did not move in time: $(cat "$results/failover.json")"
  say "lb$((first - 2)) died under load, the address moved: $(cat "$results/failover.json")"
}

the_lag_is_told() {
  wait_until 260 "the alert ReplicaLags" is 'count(ALERTS{alertname="ReplicaLags",alertstate="firing"})' 1
  wait_until 60 "the alert at Alertmanager" told ReplicaLags
  say "the lag of the replica was told to Alertmanager"
}
told() { on 5 "curl -s http://127.0.0.1:9093/api/v2/alerts" | jq -e --arg name "$1" 'any(.labels.alertname == $name)' > /dev/null; }
