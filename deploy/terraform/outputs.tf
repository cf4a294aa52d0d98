output "public_address" {
  description = "Where callers' names shall point."
  value       = linode_instance_ip.public.address
}

# terraform output -json ansible_inventory > ../ansible/inventory/hosts.json
output "ansible_inventory" {
  description = "The inventory of deploy/ansible, with what Windlass has to know of the site."
  value = {
    all = {
      children = {
        for group in distinct([for host in values(local.hosts) : host.group]) : group => {
          hosts = {
            for name, host in local.hosts : name => merge(
              {
                ansible_host = linode_instance.host[name].ip_address
                vlan_ip      = module.addresses.addresses[name]
              },
              group == "databases" ? { database_role = name == "db1" ? "primary" : "replica" } : {},
            ) if host.group == group
          }
        }
      }
      vars = {
        site_vlan             = var.vlan_cidr
        site_public_address   = linode_instance_ip.public.address
        site_administrators   = var.administrators
        windlass_region       = var.region
        windlass_vlan_label   = var.vlan_label
        windlass_vlan_reserve = [module.addresses.reserved]
        windlass_firewall     = tonumber(linode_firewall.nodes.id)
      }
    }
  }
}
