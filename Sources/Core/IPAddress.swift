import Foundation

/// An IPv4 or IPv6 address. An IPv4 address that is mapped into IPv6 (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    public let isIPv6: Bool
    /// The address's bits, those of IPv4 in the lowest 32.
    public let bits: UInt128

    public init(ipv4 bits: UInt32) {
        isIPv6 = false
        self.bits = UInt128(bits)
    }

    public init(ipv6 bits: UInt128) {
        let isMapped = bits >> 32 == 0xFFFF
        isIPv6 = !isMapped
        self.bits = isMapped ? bits & 0xFFFF_FFFF : bits
    }

    /// Reads `192.0.2.1` or `2001:db8::1`; `nil` for anything more or less: a port, brackets, a zone, spaces, leading zeros in IPv4.
    public init?(_ text: some StringProtocol) {
        // C's strings end at a NUL.
        guard (2...45).contains(text.utf8.count), !text.utf8.contains(0) else { return nil }
        let text = String(text)
        if text.utf8.contains(UInt8(ascii: ":")) {
            var address = in6_addr()
            guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
            self.init(ipv6: withUnsafeBytes(of: address) { $0.reduce(0) { ($0 << 8) | UInt128($1) } })
        } else {
            var address = in_addr()
            guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
            self.init(ipv4: UInt32(bigEndian: address.s_addr))
        }
    }

    /// As RFC 5952 writes it.
    public var description: String { isIPv6 ? ipv6Text : ipv4Text }

    /// Without a string for each number: it stands in every line of the access log.
    private var ipv4Text: String {
        String(unsafeUninitializedCapacity: 15) { characters in
            var count = 0
            func put(_ character: UInt8) {
                characters[count] = character
                count += 1
            }
            for shift: UInt32 in [24, 16, 8, 0] {
                let part = UInt8(truncatingIfNeeded: UInt32(truncatingIfNeeded: bits) >> shift)
                if part >= 100 { put(UInt8(ascii: "0") + part / 100) }
                if part >= 10 { put(UInt8(ascii: "0") + part / 10 % 10) }
                put(UInt8(ascii: "0") + part % 10)
                if shift > 0 { put(UInt8(ascii: ".")) }
            }
            return count
        }
    }

    private var ipv6Text: String {
        var address = in6_addr()
        withUnsafeMutableBytes(of: &address) { bytes in
            for index in 0..<16 { bytes[index] = UInt8(truncatingIfNeeded: bits >> (8 * (15 - index))) }
        }
        var text = [CChar](repeating: 0, count: 46)
        // It fails for too little room only, and 46 bytes are enough (RFC 3493 §6.6).
        inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The addresses that begin with the same bits, in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    public let address: IPAddress
    /// How many bits the addresses share.
    public let prefix: Int

    /// The network of that many bits around an address; `nil` for more bits than an address has.
    public init?(_ address: IPAddress, prefix: Int) {
        guard (0...address.width).contains(prefix) else { return nil }
        self.address = address.masked(to: prefix)
        self.prefix = prefix
    }

    /// Reads `10.0.0.0/8`, or an address for itself alone. `nil` for a network with bits beyond its prefix, which is more likely a
    /// mistake than meant.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefix: address.width)
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let written = Int(parts[1]) else {
            return nil
        }
        // The prefix of a mapped address counts the 96 bits before it too.
        let isMapped = !address.isIPv6 && parts[0].utf8.contains(UInt8(ascii: ":"))
        self.init(address, prefix: isMapped ? written - 96 : written)
        guard self.address == address else { return nil }
    }

    public func contains(_ other: IPAddress) -> Bool {
        other.isIPv6 == address.isIPv6 && other.masked(to: prefix) == address
    }

    public var description: String { prefix == address.width ? "\(address)" : "\(address)/\(prefix)" }
}

extension IPAddress {
    fileprivate var width: Int { isIPv6 ? 128 : 32 }

    fileprivate func masked(to prefix: Int) -> IPAddress {
        let kept = (bits >> (width - prefix)) << (width - prefix)
        return isIPv6 ? IPAddress(ipv6: kept) : IPAddress(ipv4: UInt32(kept))
    }
}
