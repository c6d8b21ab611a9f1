//! What is not TCP, by the names of the registries (LINKTYPE_, IEEE EtherTypes, IANA protocol numbers).

use std::fmt;

use crate::anomaly::AnomalyKind;

/// Why a packet is not a TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotTcp {
    /// A link layer that is not sliced (LINKTYPE_ number).
    LinkType(u16),
    /// A link layer's payload that is not IP (EtherType).
    EtherType(u16),
    /// An IEEE 802.2 header that announces neither IP nor an EtherType.
    Llc,
    /// A PPP frame that is not IP (PPP protocol number).
    PppProtocol(u16),
    /// An IEEE 802.11 frame that is encrypted.
    WlanProtected,
    /// An IEEE 802.11 frame without data: management, control, null.
    WlanNoData,
    /// A part of an IEEE 802.11 frame.
    WlanFragment,
    /// Several packets in one IEEE 802.11 frame.
    WlanAggregate,
    /// MPLS with neither IP nor Ethernet below its labels.
    Mpls,
    /// IP with another transport (IP protocol number).
    IpProtocol(u8),
    /// An IP fragment without the others.
    Fragment,
    /// More headers within each other than are opened.
    Nested,
    /// Headers that are cut by the snap length or contradict each other.
    Malformed,
}

impl NotTcp {
    /// The anomaly that it counts as, where it is one.
    pub(crate) fn anomaly(self) -> Option<AnomalyKind> {
        match self {
            Self::LinkType(_) => Some(AnomalyKind::UnsupportedLinkType),
            Self::Malformed => Some(AnomalyKind::MalformedPacket),
            Self::Fragment => Some(AnomalyKind::IpFragment),
            Self::Nested => Some(AnomalyKind::NestedHeaders),
            Self::EtherType(_)
            | Self::Llc
            | Self::PppProtocol(_)
            | Self::WlanProtected
            | Self::WlanNoData
            | Self::WlanFragment
            | Self::WlanAggregate
            | Self::Mpls
            | Self::IpProtocol(_) => None,
        }
    }

    /// The same, found in what only a UDP port and a plausible header name a tunnel: what is not well known there may be no
    /// tunnel at all.
    pub(super) fn inside_guess(self) -> Self {
        match self {
            Self::EtherType(number) if ether_type(number).is_some() => self,
            Self::IpProtocol(_) | Self::Fragment | Self::Nested | Self::WlanProtected => self,
            Self::LinkType(_)
            | Self::EtherType(_)
            | Self::Llc
            | Self::PppProtocol(_)
            | Self::WlanNoData
            | Self::WlanFragment
            | Self::WlanAggregate
            | Self::Mpls
            | Self::Malformed => Self::IpProtocol(17),
        }
    }
}

impl fmt::Display for NotTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::LinkType(number) => match link_type(number) {
                Some(name) => write!(f, "link type {number} ({name})"),
                None => write!(f, "link type {number}"),
            },
            Self::EtherType(number) => named(f, ether_type(number), format_args!("EtherType {number:#06x}")),
            Self::Llc => f.write_str("IEEE 802.2 LLC"),
            Self::PppProtocol(number) => named(f, ppp_protocol(number), format_args!("PPP protocol {number:#06x}")),
            Self::WlanProtected => f.write_str("802.11 protected"),
            Self::WlanNoData => f.write_str("802.11 without data"),
            Self::WlanFragment => f.write_str("802.11 fragment"),
            Self::WlanAggregate => f.write_str("802.11 A-MSDU"),
            Self::Mpls => f.write_str("MPLS"),
            Self::IpProtocol(number) => named(f, ip_protocol(number), format_args!("IP protocol {number}")),
            Self::Fragment => f.write_str("IP fragment"),
            Self::Nested => f.write_str("headers nested too deep"),
            Self::Malformed => f.write_str("malformed"),
        }
    }
}

fn named(f: &mut fmt::Formatter<'_>, name: Option<&str>, number: fmt::Arguments<'_>) -> fmt::Result {
    match name {
        Some(name) => f.write_str(name),
        None => f.write_fmt(number),
    }
}

fn ether_type(number: u16) -> Option<&'static str> {
    Some(match number {
        // Linux's own, in cooked captures.
        0x000c => "CAN",
        0x000d => "CAN FD",
        0x0806 => "ARP",
        0x0842 => "Wake-on-LAN",
        0x22f0 => "IEEE 1722",
        0x22f3 => "TRILL",
        0x22f4 => "IS-IS",
        0x4305 => "batman-adv",
        0x6000..=0x6007 => "DEC",
        0x8035 => "RARP",
        0x809b => "AppleTalk",
        0x80f3 => "AppleTalk ARP",
        0x8137 | 0x8138 => "IPX",
        0x8808 => "Ethernet flow control",
        0x8809 => "slow protocols (LACP)",
        0x8847 | 0x8848 => "MPLS",
        0x8863 | 0x8864 => "PPPoE",
        0x886c => "HomePNA",
        0x887b => "HomePlug",
        0x888e => "EAPOL",
        0x8892 => "PROFINET",
        0x88a2 => "ATA over Ethernet",
        0x88a4 => "EtherCAT",
        0x88b8 => "GOOSE",
        0x88ba => "IEC 61850 sampled values",
        0x88ca => "TIPC",
        0x88cc => "LLDP",
        0x88e1 => "HomePlug AV",
        0x88e5 => "MACsec",
        0x88f7 => "PTP",
        0x8902 => "CFM",
        0x8906 => "FCoE",
        0x8909 => "Cisco metadata",
        0x8914 => "FIP",
        0x8915 => "RoCE",
        0x891d => "TTEthernet",
        0x892f => "HSR",
        0x894f => "NSH",
        0x9000 => "Ethernet loopback",
        _ => return None,
    })
}

fn ppp_protocol(number: u16) -> Option<&'static str> {
    Some(match number {
        0x002d | 0x002f => "PPP with compressed headers",
        0x003d => "PPP multilink",
        0x00fd => "PPP compressed",
        0x8000..=0xffff => "PPP control",
        _ => return None,
    })
}

fn ip_protocol(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "ICMP",
        2 => "IGMP",
        17 => "UDP",
        33 => "DCCP",
        47 => "GRE",
        50 => "ESP",
        51 => "AH",
        58 => "ICMPv6",
        59 => "IPv6 without payload",
        88 => "EIGRP",
        89 => "OSPF",
        97 => "EtherIP",
        103 => "PIM",
        108 => "IPComp",
        112 => "VRRP",
        115 => "L2TPv3",
        132 => "SCTP",
        136 => "UDP-Lite",
        _ => return None,
    })
}

/// Names of the LINKTYPE_ registry for what is not sliced, or not always.
fn link_type(number: u16) -> Option<&'static str> {
    Some(match number {
        3 => "AX25",
        7 => "ARCNET_BSD",
        8 => "SLIP",
        51 => "PPP_ETHER",
        99 => "SYMANTEC_FIREWALL",
        107 => "FRELAY",
        109 => "ENC",
        114 => "LTALK",
        117 => "PFLOG",
        118 => "CISCO_IOS",
        120 => "IEEE802_11_AIRONET",
        121 => "HHDLC",
        123 => "SUNATM",
        129 => "ARCNET_LINUX",
        130 => "JUNIPER_MLPPP",
        131 => "JUNIPER_MLFR",
        132 => "JUNIPER_ES",
        133 => "JUNIPER_GGSN",
        134 => "JUNIPER_MFR",
        135 => "JUNIPER_ATM2",
        136 => "JUNIPER_SERVICES",
        137 => "JUNIPER_ATM1",
        139 => "MTP2_WITH_PHDR",
        140 => "MTP2",
        141 => "MTP3",
        142 => "SCCP",
        143 => "DOCSIS",
        144 => "LINUX_IRDA",
        147..=162 => "USER",
        165 => "BACNET_MS_TP",
        169 => "GPRS_LLC",
        170 => "GPF_T",
        171 => "GPF_F",
        177 => "LINUX_LAPD",
        178 => "JUNIPER_ETHER",
        179 => "JUNIPER_PPP",
        180 => "JUNIPER_FRELAY",
        181 => "JUNIPER_CHDLC",
        182 => "MFR",
        187 => "BLUETOOTH_HCI_H4",
        189 => "USB_LINUX",
        195 => "IEEE802_15_4_WITHFCS",
        196 => "SITA",
        197 => "ERF",
        201 => "BLUETOOTH_HCI_H4_WITH_PHDR",
        202 => "AX25_KISS",
        203 => "LAPD",
        209 => "IPMB_LINUX",
        210 => "FLEXRAY",
        212 => "LIN",
        215 => "IEEE802_15_4_NONASK_PHY",
        220 => "USB_LINUX_MMAPPED",
        224 => "FC_2",
        225 => "FC_2_WITH_FRAME_DELIMS",
        226 => "IPNET",
        227 => "CAN_SOCKETCAN",
        230 => "IEEE802_15_4_NOFCS",
        231 => "DBUS",
        235 => "DVB_CI",
        236 => "MUX27010",
        237 => "STANAG_5066_D_PDU",
        239 => "NFLOG",
        241 => "NETANALYZER_TRANSPARENT",
        243 => "MPEG_2_TS",
        244 => "NG40",
        245 => "NFC_LLCP",
        247 => "INFINIBAND",
        248 => "SCTP",
        249 => "USBPCAP",
        250 => "RTAC_SERIAL",
        251 => "BLUETOOTH_LE_LL",
        252 => "WIRESHARK_UPPER_PDU",
        253 => "NETLINK",
        254 => "BLUETOOTH_LINUX_MONITOR",
        255 => "BLUETOOTH_BREDR_BB",
        256 => "BLUETOOTH_LE_LL_WITH_PHDR",
        257 => "PROFIBUS_DL",
        258 => "PKTAP",
        259 => "EPON",
        260 => "IPMI_HPM_2",
        261 => "ZWAVE_R1_R2",
        262 => "ZWAVE_R3",
        263 => "WATTSTOPPER_DLM",
        264 => "ISO_14443",
        265 => "RDS",
        266 => "USB_DARWIN",
        268 => "SDLC",
        270 => "LORATAP",
        271 => "VSOCK",
        272 => "NORDIC_BLE",
        273 => "DOCSIS31_XRA31",
        274 => "ETHERNET_MPACKET",
        275 => "DISPLAYPORT_AUX",
        277 => "SERCOS_MONITOR",
        278 => "OPENVIZSLA",
        279 => "EBHSCR",
        280 => "VPP_DISPATCH",
        281 => "DSA_TAG_BRCM",
        282 => "DSA_TAG_BRCM_PREPEND",
        283 => "IEEE802_15_4_TAP",
        284 => "DSA_TAG_DSA",
        285 => "DSA_TAG_EDSA",
        286 => "ELEE",
        287 => "Z_WAVE_SERIAL",
        288 => "USB_2_0",
        289 => "ATSC_ALP",
        290 => "ETW",
        292 => "ZBOSS_NCP",
        293 => "USB_2_0_LOW_SPEED",
        294 => "USB_2_0_FULL_SPEED",
        295 => "USB_2_0_HIGH_SPEED",
        296 => "AUERSWALD_LOG",
        297 => "ZWAVE_TAP",
        298 => "SILABS_DEBUG_CHANNEL",
        299 => "FIRA_UCI",
        _ => return None,
    })
}
