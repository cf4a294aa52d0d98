terraform {
  required_version = ">= 1.6"

  required_providers {
    linode = {
      source  = "linode/linode"
      version = "~> 3.9"
    }
  }
}

# The token comes from the variable LINODE_TOKEN, and so stands neither here nor in the state.
provider "linode" {}
