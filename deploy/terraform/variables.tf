variable "name" {
  description = "Begins every label and tag of this site."
  type        = string
  default     = "windlass"

  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9]){1,18}$", var.name))
    error_message = "Use 2 to 20 small letters, digits and single hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Where everything stands. It needs the capabilities Linodes, Vlans and Cloud Firewall."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z0-9-]+$", var.region))
    error_message = "Write a region's id, such as eu-central or us-ord."
  }
}

variable "vlan_label" {
  description = "The VLAN; it comes into being with the first host."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-zA-Z0-9]([a-zA-Z0-9]|-[a-zA-Z0-9]){0,62}$", var.vlan_label))
    error_message = "Use up to 64 letters, digits and single hyphens."
  }
}

variable "vlan_cidr" {
  description = "The VLAN's block; ./addresses says what is allowed."
  type        = string
  default     = "10.10.0.0/24"
}

variable "image" {
  description = "What the fixed hosts boot."
  type        = string
  default     = "linode/debian12"
}

variable "ssh_keys" {
  description = "Public keys of those who administer the hosts, by name. There are no passwords."
  type        = map(string)

  validation {
    condition     = length(var.ssh_keys) > 0 && alltrue([for key in values(var.ssh_keys) : can(regex("^(ssh-ed25519|ecdsa-sha2-|sk-|ssh-rsa) ?", key))])
    error_message = "Give at least one public key, such as { alice = \"ssh-ed25519 AAAA…\" }."
  }
}

variable "administrators" {
  description = "Networks from which the fixed hosts may be reached over SSH. Not everybody's."
  type        = list(string)

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for net in var.administrators : can(cidrhost(net, 0)) && !can(regex("/0$", net))])
    error_message = "Give at least one network such as 198.51.100.0/24, and never 0.0.0.0/0."
  }
}

variable "types" {
  description = "Plans of the fixed hosts."
  type = object({
    balancer = optional(string, "g6-dedicated-2")
    control  = optional(string, "g6-nanode-1")
    monitor  = optional(string, "g6-standard-2")
    database = optional(string, "g6-dedicated-4")
  })
  default = {}

  validation {
    condition     = alltrue([for type in values(var.types) : can(regex("^g[0-9]+-[a-z]+-[0-9]+", type))])
    error_message = "Write plans as Linode names them, such as g6-standard-2."
  }
}

variable "backups" {
  description = "Whether Linode backs the control host and the databases up, for an extra price."
  type        = bool
  default     = true
}
