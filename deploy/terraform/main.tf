# The fixed part of a site: everything but the nodes, which are Windlass' own.

module "addresses" {
  source    = "./addresses"
  vlan_cidr = var.vlan_cidr
}

locals {
  # Every fixed host: its part, its plan and its firewall. `public` hosts answer callers.
  hosts = {
    lb1      = { group = "balancers", type = var.types.balancer, public = true, backups = false }
    lb2      = { group = "balancers", type = var.types.balancer, public = true, backups = false }
    control1 = { group = "control", type = var.types.control, public = false, backups = var.backups }
    monitor1 = { group = "monitoring", type = var.types.monitor, public = false, backups = false }
    db1      = { group = "databases", type = var.types.database, public = false, backups = var.backups }
    db2      = { group = "databases", type = var.types.database, public = false, backups = var.backups }
  }
}

resource "linode_sshkey" "administrator" {
  for_each = var.ssh_keys

  label   = "${var.name}-${each.key}"
  ssh_key = chomp(each.value)
}

# Pairs stand on different machines of Linode's, as far as there is room.
resource "linode_placement_group" "pair" {
  for_each = toset(["balancers", "databases"])

  label                  = "${var.name}-${each.key}"
  region                 = var.region
  placement_group_type   = "anti_affinity:local"
  placement_group_policy = "flexible"
}

resource "linode_instance" "host" {
  for_each = local.hosts

  label           = "${var.name}-${each.key}"
  region          = var.region
  type            = each.value.type
  image           = var.image
  authorized_keys = [for key in linode_sshkey.administrator : key.ssh_key]
  tags            = [var.name, "${var.name}-${each.value.group}"]
  backups_enabled = each.value.backups
  firewall_id     = each.value.public ? linode_firewall.balancers.id : linode_firewall.inner.id
  # The shape of `interface` below depends on it, and the account's default may differ.
  interface_generation = "legacy_config"
  watchdog_enabled     = true

  # The public one first: otherwise the host has no way out.
  interface {
    purpose = "public"
    primary = true
  }

  interface {
    purpose      = "vlan"
    label        = var.vlan_label
    ipam_address = module.addresses.with_prefix[each.key]
  }

  dynamic "placement_group" {
    for_each = contains(keys(linode_placement_group.pair), each.value.group) ? [linode_placement_group.pair[each.value.group].id] : []
    content {
      id = placement_group.value
    }
  }

  lifecycle {
    # A new image is no reason to lose a database.
    ignore_changes = [image, authorized_keys]
  }
}

# The address that callers know: it belongs to the first balancer, and the second may take it over.
resource "linode_instance_ip" "public" {
  linode_id = linode_instance.host["lb1"].id
  public    = true
}

resource "linode_instance_shared_ips" "public" {
  linode_id = linode_instance.host["lb2"].id
  addresses = [linode_instance_ip.public.address]
}
