run "hosts_have_addresses_of_their_own_outside_the_nodes_range" {
  command = plan

  variables {
    vlan_cidr = "10.20.0.0/22"
  }

  assert {
    condition     = output.addresses["lb1"] == "10.20.0.3" && output.with_prefix["db2"] == "10.20.0.7/22"
    error_message = "Addresses are not as planned."
  }

  assert {
    condition     = length(distinct(values(output.addresses))) == 6
    error_message = "Two hosts share an address."
  }

  assert {
    condition     = output.reserved == "10.20.0.1-10.20.0.19"
    error_message = "The reserved range is not as planned."
  }
}

run "a_public_block_is_refused" {
  command = plan

  variables {
    vlan_cidr = "203.0.113.0/24"
  }

  expect_failures = [var.vlan_cidr]
}

run "a_block_too_small_is_refused" {
  command = plan

  variables {
    vlan_cidr = "10.10.0.0/29"
  }

  expect_failures = [var.vlan_cidr]
}

run "a_host_in_place_of_a_block_is_refused" {
  command = plan

  variables {
    vlan_cidr = "10.10.0.7/24"
  }

  expect_failures = [var.vlan_cidr]
}
