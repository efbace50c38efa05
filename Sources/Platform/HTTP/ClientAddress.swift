import HTTPTypes
public import MartletCore
import NIOCore

/// Which proxies are believed when they say for whom they ask.
public struct TrustedProxies: Sendable {
    private let networks: [IPNetwork]

    public init(_ networks: [IPNetwork] = []) { self.networks = networks }

    /// The address that a request came from.
    ///
    /// Unless the peer is a trusted proxy, it is the peer. Otherwise the addresses in `Forwarded` (RFC 7239) or `X-Forwarded-For` are
    /// walked from the right, as each proxy adds the one it was asked by: the first that is not a trusted proxy is the client's. What
    /// stands further to the left was written by whoever wanted to. An entry that is no address ends the walk at the proxy that added
    /// it. When a request has both headers, one of them may be the client's own invention which the proxy passes on unseen: they are
    /// believed only where both lead to the same address, and otherwise the peer counts.
    func client(of fields: HTTPFields, peer: IPAddress?) -> IPAddress? {
        guard let peer, !networks.isEmpty, trusts(peer) else { return peer }
        let (standard, usual) = (fields[values: .forwarded], fields[values: .forwardedFor])
        switch (standard.isEmpty, usual.isEmpty) {
        case (true, true): return peer
        case (false, true): return walk(standard, from: peer, ForwardedEntry.address)
        case (true, false): return walk(usual, from: peer, ForwardedNode.address)
        case (false, false):
            let client = walk(standard, from: peer, ForwardedEntry.address)
            return client == walk(usual, from: peer, ForwardedNode.address) ? client : peer
        }
    }

    /// Several header lines are one list (RFC 9110 §5.3), whose empty entries do not count (§5.6.1).
    private func walk(_ lines: [String], from peer: IPAddress, _ read: (Substring) -> IPAddress?) -> IPAddress {
        var last = peer
        for line in lines.reversed() {
            var entries = EntriesFromTheRight(line)
            while let entry = entries.next() {
                guard let address = read(entry) else { return last }
                guard trusts(address) else { return address }
                last = address
            }
        }
        return last
    }

    func trusts(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }
}

/// The entries of a list, the last one first, so that nothing to the left of an entry can change how it is read.
private struct EntriesFromTheRight: IteratorProtocol {
    private var rest: Substring?

    init(_ line: String) { rest = line[...] }

    mutating func next() -> Substring? {
        while let line = rest {
            let comma = Self.lastComma(line)
            rest = comma.map { line[..<$0] }
            let entry = line[(comma.map { line.utf8.index(after: $0) } ?? line.startIndex)...].trimmed
            if !entry.isEmpty { return entry }
        }
        return nil
    }

    private static func lastComma(_ line: Substring) -> Substring.Index? {
        var isQuoted = false
        for index in line.utf8.indices.reversed() {
            switch line.utf8[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted: return index
            default: break
            }
        }
        return nil
    }
}

/// An entry of `Forwarded`: `for=192.0.2.1;proto=https`, `for="[2001:db8::1]:4711"` (RFC 7239 §4).
private enum ForwardedEntry {
    static func address(_ entry: Substring) -> IPAddress? {
        var found: IPAddress?
        // A `;` within quotes splits what is no address anyway.
        for pair in entry.split(separator: ";", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0].trimmed.lowercased() == "for" else { continue }
            guard found == nil, parts.count == 2, let address = ForwardedNode.address(unquoted(parts[1].trimmed)) else { return nil }
            found = address
        }
        return found
    }

    private static func unquoted(_ text: Substring) -> Substring {
        text.utf8.count >= 2 && text.first == "\"" && text.last == "\"" ? text.dropFirst().dropLast() : text
    }
}

/// `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, the first and the last also with a port; not `unknown`, `_hidden` or names.
private enum ForwardedNode {
    static func address(_ text: Substring) -> IPAddress? {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]"), isPort(text[text.index(after: end)...]) else { return nil }
            let inside = text[text.index(after: text.startIndex)..<end]
            return inside.utf8.contains(UInt8(ascii: ":")) ? IPAddress(inside) : nil
        }
        guard let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") else { return IPAddress(text) }
        return isPort(text[colon...]) ? IPAddress(text[..<colon]) : nil
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && (2...6).contains(text.utf8.count) && text.utf8.dropFirst().allSatisfy { 0x30...0x39 ~= $0 })
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard let first = utf8.firstIndex(where: { !isSpace($0) }), let last = utf8.lastIndex(where: { !isSpace($0) }) else { return "" }
        return self[first...last]
    }
}

extension IPAddress {
    /// `nil` for sockets that have no such address.
    init?(_ address: SocketAddress?) {
        switch address {
        // Both systems have the address at the same place: after family and port, and in IPv6 after the flow too.
        case .v4(let address):
            self.init(ipv4: withUnsafeBytes(of: address.address) { $0[4..<8].reduce(0) { ($0 << 8) | UInt32($1) } })
        case .v6(let address):
            self.init(ipv6: withUnsafeBytes(of: address.address) { $0[8..<24].reduce(0) { ($0 << 8) | UInt128($1) } })
        case .unixDomainSocket, nil: return nil
        }
    }

    /// What limits count as one client: an IPv4 address, and all addresses of an IPv6 network of 64 bits, which is what one gets at least.
    package var limited: String {
        isIPv6 ? IPNetwork(self, prefix: 64)?.description ?? description : description
    }
}
