# Cloud Firewalls see what comes from outside. They don't see the VLAN: there each host guards itself
# (deploy/ansible, roles/base).

resource "linode_firewall" "balancers" {
  label           = "${var.name}-balancers"
  tags            = [var.name]
  inbound_policy  = "DROP"
  outbound_policy = "ACCEPT"

  inbound {
    label    = "callers"
    action   = "ACCEPT"
    protocol = "TCP"
    ports    = "80, 443"
    ipv4     = ["0.0.0.0/0"]
    ipv6     = ["::/0"]
  }

  inbound {
    label    = "administrators"
    action   = "ACCEPT"
    protocol = "TCP"
    ports    = "22"
    ipv4     = var.administrators
  }

  inbound {
    label    = "icmp"
    action   = "ACCEPT"
    protocol = "ICMP"
    ipv4     = ["0.0.0.0/0"]
    ipv6     = ["::/0"]
  }
}

# Hosts that callers have no business with: monitoring, control, databases.
resource "linode_firewall" "inner" {
  label           = "${var.name}-inner"
  tags            = [var.name]
  inbound_policy  = "DROP"
  outbound_policy = "ACCEPT"

  inbound {
    label    = "administrators"
    action   = "ACCEPT"
    protocol = "TCP"
    ports    = "22"
    ipv4     = var.administrators
  }
}

# What Windlass puts each node behind (`node.firewall` in the policy): nothing comes in from outside.
# Windlass itself logs in over the VLAN.
resource "linode_firewall" "nodes" {
  label           = "${var.name}-nodes"
  tags            = [var.name]
  inbound_policy  = "DROP"
  outbound_policy = "ACCEPT"
}
