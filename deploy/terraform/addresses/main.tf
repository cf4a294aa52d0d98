# Where each fixed host stands on the VLAN. Pure: no provider, nothing outside; so it can be tested anywhere.
#
# In: the VLAN's block. Out: an address for each host, and the range that Windlass keeps its hands off.

variable "vlan_cidr" {
  description = "The VLAN's block, such as 10.10.0.0/24: room for the fixed hosts and for every node that may ever be."
  type        = string

  validation {
    condition     = can(cidrhost(var.vlan_cidr, 20)) && can(regex("/(1[6-9]|2[0-6])$", var.vlan_cidr))
    error_message = "Write a block of private IPv4 addresses between /16 and /26, such as 10.10.0.0/24."
  }

  validation {
    condition     = can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", var.vlan_cidr))
    error_message = "The block must be private: in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
  }

  validation {
    condition     = can(cidrhost(var.vlan_cidr, 0)) && cidrhost(var.vlan_cidr, 0) == split("/", var.vlan_cidr)[0]
    error_message = "Write the block's first address, such as 10.10.0.0/24 and not 10.10.0.7/24."
  }
}

locals {
  prefix = split("/", var.vlan_cidr)[1]
  # .1 stays free, for a gateway that somebody may want one day.
  numbers = {
    control1 = 2
    lb1      = 3
    lb2      = 4
    monitor1 = 5
    db1      = 6
    db2      = 7
  }
}

output "addresses" {
  description = "VLAN address by host, without the prefix."
  value       = { for host, number in local.numbers : host => cidrhost(var.vlan_cidr, number) }
}

output "with_prefix" {
  description = "VLAN address by host, with the prefix, as Linode wants it."
  value       = { for host, number in local.numbers : host => "${cidrhost(var.vlan_cidr, number)}/${local.prefix}" }
}

output "reserved" {
  description = "The range that the policy reserves (`node.vlan.reserve`): room for twice as many fixed hosts."
  value       = "${cidrhost(var.vlan_cidr, 1)}-${cidrhost(var.vlan_cidr, 19)}"
}
