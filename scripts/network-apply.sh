# shellcheck shell=sh
# Applies network.conf if there is no vendor's network.sh: with systemd-networkd if it manages the machine, else with
# `ip`. Sourced by settings.sh and boot.sh, after lib.sh, conf.sh and clock.sh. EDGE_NETROOT precedes every path of the
# real system, so that the tests never touch it.

network_address() { case $1 in '' | *[!0-9A-Fa-f.:]*) return 1 ;; esac; }
network_name() { case $1 in '' | [-.]* | *[!A-Za-z0-9._-]*) return 1 ;; esac; }

network_prefix() { # NETMASK: 255.255.255.0, /24 or 24 as 24
  case $1 in
    *.*)
      network_prefix_bits=0
      network_prefix_end=
      for network_part in $(printf '%s' "$1" | tr . ' '); do
        case $network_part in
          255) network_bits=8 ;; 254) network_bits=7 ;; 252) network_bits=6 ;; 248) network_bits=5 ;;
          240) network_bits=4 ;; 224) network_bits=3 ;; 192) network_bits=2 ;; 128) network_bits=1 ;;
          0) network_bits=0 ;;
          *) return 1 ;;
        esac
        # Ones, then zeros: 255.0.255.0 is not a mask.
        [ -z "$network_prefix_end" ] || [ "$network_bits" -eq 0 ] || return 1
        [ "$network_bits" -eq 8 ] || network_prefix_end=1
        network_prefix_bits=$((network_prefix_bits + network_bits))
      done
      printf '%s' "$network_prefix_bits"
      ;;
    *)
      network_part=${1#/}
      case $network_part in '' | *[!0-9]* | ????*) return 1 ;; esac
      [ "$network_part" -le 128 ] && printf '%s' "$network_part"
      ;;
  esac
}

network_read() { # FILE: sets the NET_* variables; fails on a value that no interface or address can have
  conf_check "$1" "$NETWORK_NAMES" || return 1
  NET_MODE=$(conf_value "$1" mode)
  NET_IF=$(conf_value "$1" interface)
  NET_HOSTNAME=$(conf_value "$1" hostname)
  NET_NTP=$(conf_value "$1" ntpserver)
  NET_DNS=$(conf_value "$1" dns)
  NET_ROUTER=
  network_name "$NET_IF" && [ "${#NET_IF}" -le 15 ] || return 1
  [ -z "$NET_HOSTNAME" ] || network_name "$NET_HOSTNAME" || return 1
  [ -z "$NET_NTP" ] || network_name "$NET_NTP" || network_address "$NET_NTP" || return 1
  for network_server in $NET_DNS; do network_address "$network_server" || return 1; done
  [ "$NET_MODE" = static ] || { [ "$NET_MODE" = dhcp ]; return; }
  NET_IP=$(conf_value "$1" ip)
  NET_ROUTER=$(conf_value "$1" router)
  NET_MASK=$(conf_value "$1" subnet)
  : "${NET_MASK:=$(conf_value "$1" subnet_ipv6)}"
  # A storage network has no router.
  [ -z "$NET_ROUTER" ] || network_address "$NET_ROUTER" || return 1
  network_address "$NET_IP" && NET_PREFIX=$(network_prefix "$NET_MASK")
}

network_is_networkd() {
  [ -d "${EDGE_NETROOT:-}/run/systemd/system" ] && command -v networkctl >/dev/null 2>&1
}

network_apply() { # FILE
  network_read "$1" || { echo "network.conf holds a value that cannot be applied"; return 1; }
  network_hostname "$NET_HOSTNAME"
  if network_is_networkd; then network_networkd; else network_ip; fi || return 1
  clock_set "$NET_NTP"
}

network_hostname() { # NAME
  [ -n "$1" ] || return 0
  mkdir -p "${EDGE_NETROOT:-}/etc"
  printf '%s\n' "$1" | put "${EDGE_NETROOT:-}/etc/hostname" 644 || echo "the host name could not be stored"
  hostname "$1" || echo "the host name could not be set"
}

# ---- systemd-networkd

network_unit() {
  printf '# Written by edge-admin.\n[Match]\nName=%s\n\n[Network]\n' "$NET_IF"
  if [ "$NET_MODE" = dhcp ]; then
    printf 'DHCP=yes\n'
  else
    printf 'DHCP=no\nAddress=%s/%s\n' "$NET_IP" "$NET_PREFIX"
    [ -z "$NET_ROUTER" ] || network_is_alone "$NET_IP" "$NET_PREFIX" || printf 'Gateway=%s\n' "$NET_ROUTER"
  fi
  for network_server in $NET_DNS; do printf 'DNS=%s\n' "$network_server"; done
  if [ "$NET_MODE" = dhcp ]; then
    # Only ours, not those of the DHCP server as well.
    [ -z "$NET_DNS" ] || printf '\n[DHCPv4]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n\n[IPv6AcceptRA]\nUseDNS=no\n'
  elif [ -n "$NET_ROUTER" ] && network_is_alone "$NET_IP" "$NET_PREFIX"; then
    printf '\n[Route]\nGateway=%s\nGatewayOnLink=yes\n' "$NET_ROUTER"
  fi
}

network_networkd() {
  network_units=${EDGE_NETROOT:-}/etc/systemd/network
  # It reads them under its own account.
  (umask 022 && mkdir -p "$network_units") && network_unit | put "$network_units/10-edge-admin.network" 644 || return 1
  networkctl reload 9>&- || return 1
  # Only systemd-resolved reads the name servers in a unit.
  # shellcheck disable=SC2086
  [ -z "$NET_DNS" ] || network_has_resolved || network_resolv $NET_DNS
}
network_has_resolved() {
  case $(readlink "${EDGE_NETROOT:-}/etc/resolv.conf") in *systemd/resolve/*) ;; *) return 1 ;; esac
}

# ---- ip, of iproute2 or busybox

network_addresses() { # INTERFACE [to ADDRESS]: what people or DHCP gave it, one ADDRESS/PREFIX a line
  ip addr show dev "$@" | awk '$1 == "inet" || ($1 == "inet6" && !/scope link/ && !/ dynamic/) { print $2 }'
}
network_routers() { # INTERFACE
  { ip -4 route show dev "$1"; ip -6 route show dev "$1"; } 2>/dev/null |
    awk '$1 == "default" && $2 == "via" { print $3 }'
}
# A machine that is alone in its network (/32, /128) has its router outside, and needs a route to it.
network_is_alone() { case $(network_family "$1")/$2 in -4/32 | -6/128) ;; *) return 1 ;; esac; } # ADDRESS PREFIX
network_family() { case $1 in *:*) echo -6 ;; *) echo -4 ;; esac; }

network_dhcp_pid() { printf '%s' "${EDGE_NETROOT:-}/run/edge-admin-dhcp.$1.pid"; }
network_dhcp_stop() { # INTERFACE: only a client that we started, and only if the number is still that of a client
  network_pidfile=$(network_dhcp_pid "$1")
  read -r network_pid 2>/dev/null <"$network_pidfile" || return 0
  case $network_pid in '' | *[!0-9]*) return 0 ;; esac
  case $(cat "/proc/$network_pid/comm" 2>/dev/null) in
    udhcpc | dhclient | busybox) kill "$network_pid" 2>/dev/null || : ;;
  esac
  rm -f "$network_pidfile"
}

network_ip() {
  command -v ip >/dev/null 2>&1 || { echo 'no program here can apply the network'; return 1; }
  network_dhcp_stop "$NET_IF"
  ip link set dev "$NET_IF" up || return 1
  if [ "$NET_MODE" = dhcp ]; then
    network_dhcp
  else
    network_set "$NET_IF" "$NET_IP" "$NET_PREFIX" "$NET_ROUTER"
  fi || return 1
  # shellcheck disable=SC2086
  [ -z "$NET_DNS" ] || network_resolv $NET_DNS
}

# The other addresses are removed first: the kernel drops a secondary address of a subnet together with the primary one.
network_set() { # INTERFACE ADDRESS PREFIX ROUTER
  for network_old in $(network_addresses "$1"); do
    # The kernel compares them: an IPv6 address can be written in many ways.
    case $(network_addresses "$1" to "$2") in
      "${network_old%/*}/$3") ;;
      *) ip addr del "$network_old" dev "$1" || return 1 ;;
    esac
  done
  [ -n "$(network_addresses "$1" to "$2")" ] || ip addr add "$2/$3" dev "$1" || return 1
  if [ -z "$4" ]; then
    # From an interface that had a router before: without one nothing leads out of this network.
    for network_old in $(network_routers "$1"); do
      ip "$(network_family "$network_old")" route del default via "$network_old" dev "$1" || return 1
    done
    return 0
  fi
  if network_is_alone "$2" "$3"; then ip "$(network_family "$4")" route replace "$4" dev "$1" || return 1; fi
  ip "$(network_family "$4")" route replace default via "$4" dev "$1"
}

network_resolv() { # ADDRESS...
  mkdir -p "${EDGE_NETROOT:-}/etc"
  printf 'nameserver %s\n' "$@" | put "${EDGE_NETROOT:-}/etc/resolv.conf" 644
}

network_dhcp() {
  mkdir -p "${EDGE_NETROOT:-}/run"
  if command -v udhcpc >/dev/null 2>&1; then
    # -n: no lease is a failure; with a lease it keeps renewing in the background. With our own name servers it requests
    # only the rest: each renewal would bring back those of the DHCP server.
    udhcpc -i "$NET_IF" -n -t 5 ${NET_DNS:+-o -O subnet -O router -O broadcast} -p "$(network_dhcp_pid "$NET_IF")" ${NET_HOSTNAME:+-x "hostname:$NET_HOSTNAME"} 9>&-
  elif command -v dhclient >/dev/null 2>&1; then
    network_dhclient=${EDGE_NETROOT:-}/run/edge-admin-dhclient.$NET_IF.conf
    printf '%s' "${NET_DNS:+supersede domain-name-servers $(printf '%s' "$NET_DNS" | sed 's/ /, /g');}" | put "$network_dhclient" 644 || return 1
    dhclient -1 ${NET_DNS:+-cf "$network_dhclient"} -pf "$(network_dhcp_pid "$NET_IF")" "$NET_IF" 9>&-
  else
    echo 'there is no DHCP client'
    return 1
  fi
}

# ---- the way back on a machine that had no network.conf yet

network_snapshot() { # FILE FOLDER: remembers what the interface that FILE names is like now
  [ ! -d "$2" ] || return 0
  network_read "$1" || return 1
  mkdir -p "$2.new"
  printf '%s\n' "$NET_IF" >"$2.new/interface"
  hostname >"$2.new/hostname" 2>/dev/null || :
  if ! network_is_networkd && command -v ip >/dev/null 2>&1; then
    network_addresses "$NET_IF" >"$2.new/addresses" || return 1
    network_routers "$NET_IF" >"$2.new/routers"
  fi
  network_has_resolved || [ ! -f "${EDGE_NETROOT:-}/etc/resolv.conf" ] ||
    cp "${EDGE_NETROOT:-}/etc/resolv.conf" "$2.new/resolv.conf" || return 1
  mv "$2.new" "$2"
}

network_restore() { # FOLDER
  [ -d "$1" ] || return 0
  read -r network_interface <"$1/interface" || return 1
  read -r network_host <"$1/hostname" && network_hostname "$network_host"
  network_resolv_back "$1"
  clock_set ''
  if network_is_networkd; then
    rm -f "${EDGE_NETROOT:-}/etc/systemd/network/10-edge-admin.network"
    networkctl reload 9>&-
    return
  fi
  network_dhcp_stop "$network_interface"
  for network_old in $(network_addresses "$network_interface"); do
    grep -qxF "$network_old" "$1/addresses" || ip addr del "$network_old" dev "$network_interface"
  done
  while read -r network_old; do
    ip addr add "$network_old" dev "$network_interface" 2>/dev/null || :
  done <"$1/addresses"
  while read -r network_old; do
    ip "$(network_family "$network_old")" route replace default via "$network_old" dev "$network_interface"
  done <"$1/routers"
}

network_resolv_back() { [ ! -f "$1/resolv.conf" ] || put "${EDGE_NETROOT:-}/etc/resolv.conf" 644 <"$1/resolv.conf"; } # FOLDER
