# lib.sh: the lab's functions. Source it only inside a world (tests/lab/world), after tests/lab/setup.
#
# A "VM" is a set of namespaces with its own address on the VLAN, its own disk (an overlay over this machine's root,
# written to memory), its own process tree and a real systemd as process 1.
set -u

LAB=/run/lab                   # this world's own files; /run is private to the world
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VLAN=10.77.0                   # VLAN addresses begin so; so do the balancers' and the daemon's own
PUBLIC=203.0.113               # public addresses begin so
: "${LAB_GROUP:=$(cat $LAB/group)}"    # hooks don't inherit the variable

# network NAME VLAN-HOST PUBLIC-HOST: a network namespace with a leg on each bridge ("-": no such leg).
network() {
  ip netns add "$1"
  ip -n "$1" link set lo up
  [ "$2" = - ] || leg "$1" vlan eth1 "$VLAN.$2/24"
  [ "$3" = - ] || leg "$1" public eth0 "$PUBLIC.$3/24"
}

# leg NAME BRIDGE INTERFACE ADDRESS
leg() {
  local port=${2:0:1}-$1
  ip link add "$port" type veth peer name "$3" netns "$1"
  ip link set "$port" master "br-$2" up
  ip -n "$1" addr add "$4" dev "$3"
  ip -n "$1" link set "$3" up
}

# disk NAME HOSTNAME AUTHORIZED-KEYS: a writable copy of this machine's root, in memory. Nothing is written to the machine.
disk() {
  local disk=$LAB/vms/$1 root=$LAB/vms/$1/root unit
  mkdir -p "$disk"
  mount -t tmpfs -o size=512m,mode=755 tmpfs "$disk"
  mkdir -p "$disk/upper" "$disk/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" "$root"
  echo "$2" > "$root/etc/hostname"
  : > "$root/etc/fstab"
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  rm -f "$root"/etc/ssh/ssh_host_*
  # A home of its own: this machine's may be large, and its keys are nobody's business.
  mount -t tmpfs -o size=64m,mode=700 tmpfs "$root/root"
  mkdir -m 700 "$root/root/.ssh"
  install -m 600 "$3" "$root/root/.ssh/authorized_keys"
  # A package may be forbidden to start services on the machine; in a VM nothing is.
  rm -f "$root/usr/sbin/policy-rc.d"
  # Only ssh, and what journald and dbus pull in, starts by itself: a VM has none of this machine's hardware or services.
  local system=$root/etc/systemd/system
  rm -rf "$system"/*.wants
  mkdir -p "$system/multi-user.target.wants"
  ln -sf /lib/systemd/system/multi-user.target "$system/default.target"
  ln -sf /lib/systemd/system/ssh.service "$system/multi-user.target.wants/"
  for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
    systemd-logind.service systemd-remount-fs.service systemd-sysctl.service systemd-modules-load.service \
    systemd-binfmt.service systemd-timesyncd.service systemd-tmpfiles-clean.timer getty.target dev-hugepages.mount \
    dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    proc-sys-fs-binfmt_misc.automount systemd-ask-password-wall.path systemd-ask-password-console.path; do
    ln -sf /dev/null "$system/$unit"
  done
  cp "$SOURCE/vm-init" "$root/opt/.vm-init"
}

# power_on NAME: starts systemd in namespaces and a control group of its own, and comes back as soon as it is on.
power_on() {
  mkdir -p "$LAB_GROUP/$1"
  # `nsenter`, not `ip netns exec`: the latter mounts a new /sys, and systemd would make its slices in the machine's own
  # control group. `pivot_root`, not `chroot`: inside a chroot units with PrivateUsers= can't start.
  setsid bash -c '
    echo $$ > "$1/$2/cgroup.procs"
    exec nsenter --net="/run/netns/$2" unshare --cgroup --mount --pid --uts --ipc --fork --kill-child=SIGKILL bash -c "
      cd \"\$1\" && mkdir -p .old && mount -t proc proc proc && pivot_root . .old && cd / && umount -l /.old && rmdir /.old &&
      exec /bin/bash /opt/.vm-init" vm "$3"
  ' vm "$LAB_GROUP" "$1" "$LAB/vms/$1/root" < /dev/null > "$LAB/vms/$1.log" 2>&1 &
  for _ in $(seq 100); do is_on "$1" && return; sleep .01; done
  return 1
}

# is_on NAME: whether any process of it lives.
is_on() { grep -q 'populated 1' "$LAB_GROUP/$1/cgroup.events" 2>/dev/null; }

# destroy NAME: the VM, its disk, network and control group are gone. One that never was is gone, too.
destroy() {
  local group=$LAB_GROUP/$1
  if [ -d "$group" ]; then
    echo 1 > "$group/cgroup.kill"
    for _ in $(seq 200); do is_on "$1" || break; sleep .02; done
    find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
  fi
  ! mountpoint -q "$LAB/vms/$1" || umount -l "$LAB/vms/$1"
  [ ! -e "/run/netns/$1" ] || ip netns del "$1"
  rm -rf "${LAB:?}/vms/$1"
}
