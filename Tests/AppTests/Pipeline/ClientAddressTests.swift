import HTTPTypes
import MartletCore
import Testing

@testable import MartletHTTP

@Suite("The client's address")
struct ClientAddresses {
    struct Case: Sendable, CustomTestStringConvertible {
        var peer = "10.0.0.1"
        var forwarded: [String] = []
        var forwardedFor: [String] = []
        let client: String
        var testDescription: String { "\(forwarded) \(forwardedFor) from \(peer)" }
    }

    private static let proxies = TrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48", "::1"].compactMap { IPNetwork($0) })

    @Test(arguments: [
        // Without a proxy that is trusted, headers are anybody's words.
        Case(peer: "192.0.2.1", client: "192.0.2.1"),
        Case(peer: "192.0.2.1", forwardedFor: ["198.51.100.1"], client: "192.0.2.1"),
        Case(peer: "192.0.2.1", forwarded: ["for=198.51.100.1"], client: "192.0.2.1"),
        Case(peer: "2001:db8:fffe::1", forwardedFor: ["198.51.100.1"], client: "2001:db8:fffe::1"),
        // A proxy that says nothing.
        Case(client: "10.0.0.1"), Case(forwardedFor: [""], client: "10.0.0.1"), Case(forwardedFor: [" , ,,"], client: "10.0.0.1"),
        // The rightmost that is no proxy counts.
        Case(forwardedFor: ["198.51.100.1"], client: "198.51.100.1"),
        Case(forwardedFor: ["1.1.1.1, 198.51.100.1"], client: "198.51.100.1"),
        Case(forwardedFor: ["1.1.1.1,198.51.100.1,10.9.9.9,10.0.0.2"], client: "198.51.100.1"),
        Case(forwardedFor: ["10.0.0.3, 10.0.0.2"], client: "10.0.0.3"),
        Case(forwardedFor: ["1.1.1.1", "198.51.100.1", "10.0.0.2"], client: "198.51.100.1"),
        Case(forwardedFor: ["198.51.100.1, ", ", 10.0.0.2 ,\t"], client: "198.51.100.1"),
        Case(peer: "2001:db8:ffff::1", forwardedFor: ["2001:db8::7"], client: "2001:db8::7"),
        Case(peer: "::ffff:10.0.0.1", forwardedFor: ["::ffff:198.51.100.1"], client: "198.51.100.1"),
        // With ports, as some proxies write.
        Case(forwardedFor: ["198.51.100.1:4711"], client: "198.51.100.1"),
        Case(forwardedFor: ["[2001:db8::7]:4711"], client: "2001:db8::7"), Case(forwardedFor: ["[2001:db8::7]"], client: "2001:db8::7"),
        // What is no address ends the walk at the proxy that added it.
        Case(forwardedFor: ["198.51.100.1, unknown"], client: "10.0.0.1"),
        Case(forwardedFor: ["198.51.100.1, unknown, 10.0.0.2"], client: "10.0.0.2"),
        Case(forwardedFor: ["unknown, 198.51.100.1"], client: "198.51.100.1"),
        Case(forwardedFor: ["127.1"], client: "10.0.0.1"), Case(forwardedFor: ["010.0.0.9"], client: "10.0.0.1"),
        Case(forwardedFor: ["0x7f000001"], client: "10.0.0.1"), Case(forwardedFor: ["2130706433"], client: "10.0.0.1"),
        Case(forwardedFor: ["1.2.3.4.5"], client: "10.0.0.1"), Case(forwardedFor: ["1.2.3.256"], client: "10.0.0.1"),
        Case(forwardedFor: ["1.2.3.4:"], client: "10.0.0.1"), Case(forwardedFor: ["1.2.3.4:123456"], client: "10.0.0.1"),
        Case(forwardedFor: ["1.2.3.4:+1"], client: "10.0.0.1"), Case(forwardedFor: ["[1.2.3.4]"], client: "10.0.0.1"),
        Case(forwardedFor: ["[::1"], client: "10.0.0.1"), Case(forwardedFor: ["[::1]x"], client: "10.0.0.1"),
        Case(forwardedFor: ["fe80::1%eth0"], client: "10.0.0.1"), Case(forwardedFor: ["1.2.3.4 5.6.7.8"], client: "10.0.0.1"),
        Case(forwardedFor: ["1.2.3.4;5.6.7.8"], client: "10.0.0.1"), Case(forwardedFor: ["\"1.2.3.4\""], client: "10.0.0.1"),
        Case(forwardedFor: ["１.2.3.4"], client: "10.0.0.1"),
        Case(forwardedFor: ["::::"], client: "10.0.0.1"), Case(forwardedFor: [":"], client: "10.0.0.1"),
        Case(forwardedFor: [String(repeating: "1.1.1.1,", count: 5000) + "198.51.100.1"], client: "198.51.100.1"),
        // RFC 7239.
        Case(forwarded: ["for=198.51.100.1"], client: "198.51.100.1"),
        Case(forwarded: ["For=\"198.51.100.1:4711\"; proto=https;by=10.0.0.1"], client: "198.51.100.1"),
        Case(forwarded: ["proto=https;for=\"[2001:db8:cafe::17]:4711\""], client: "2001:db8:cafe::17"),
        Case(forwarded: ["for=1.1.1.1, for=198.51.100.1, for=10.0.0.2"], client: "198.51.100.1"),
        Case(forwarded: ["for=1.1.1.1", "for=198.51.100.1"], client: "198.51.100.1"),
        Case(forwarded: ["for=198.51.100.1;host=\"a,b;for=1.1.1.1\""], client: "10.0.0.1"),
        Case(forwarded: ["for=198.51.100.1;host=\"a,b\""], client: "198.51.100.1"),
        Case(forwarded: ["for=_hidden"], client: "10.0.0.1"), Case(forwarded: ["for=unknown"], client: "10.0.0.1"),
        Case(forwarded: ["for=198.51.100.1, for=_hidden, for=10.0.0.2"], client: "10.0.0.2"),
        Case(forwarded: ["proto=https"], client: "10.0.0.1"), Case(forwarded: ["for"], client: "10.0.0.1"),
        Case(forwarded: ["for=1.1.1.1;for=2.2.2.2"], client: "10.0.0.1"), Case(forwarded: ["198.51.100.1"], client: "10.0.0.1"),
        // A quotation that is not closed cannot swallow what a proxy adds behind it.
        Case(forwarded: ["for=\"1.1.1.1, for=198.51.100.1"], client: "198.51.100.1"),
        Case(forwarded: ["for=1.1.1.1;host=\"x, for=198.51.100.1;host=\"y\""], client: "198.51.100.1"),
        Case(forwarded: ["for=\"1.1.1.1", "for=198.51.100.1"], client: "198.51.100.1"),
        // Both: one of them may be the client's own.
        Case(forwarded: ["for=198.51.100.1"], forwardedFor: ["198.51.100.1"], client: "198.51.100.1"),
        Case(forwarded: ["for=1.1.1.1"], forwardedFor: ["198.51.100.1"], client: "10.0.0.1"),
        Case(forwarded: ["for=198.51.100.1"], forwardedFor: ["nonsense"], client: "10.0.0.1"),
    ])
    func isWhatTrustedProxiesSay(_ given: Case) throws {
        var fields = HTTPFields()
        for line in given.forwarded { fields.append(HTTPField(name: .forwarded, value: line)) }
        for line in given.forwardedFor { fields.append(HTTPField(name: .forwardedFor, value: line)) }
        let peer = try #require(IPAddress(given.peer))
        #expect(Self.proxies.client(of: fields, peer: peer)?.description == given.client)
    }

    @Test func isUnknownWithoutAPeer() {
        #expect(Self.proxies.client(of: [.forwardedFor: "192.0.2.1"], peer: nil) == nil)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "::/64"),
    ])
    func isCountedByNetworkWhereClientsHaveWholeNetworks(address: String, key: String) throws {
        #expect(try #require(IPAddress(address)).limited == key)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "2001:db8::1", true), ("::/0", "1.2.3.4", false), ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.2", false), ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::", false),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("::1/128", "::1", true),
    ])
    func liesInItsNetworksOnly(network: String, address: String, isInside: Bool) throws {
        #expect(try #require(IPNetwork(network)).contains(#require(IPAddress(address))) == isInside)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/+8", "/8", "", "localhost",
        "::ffff:10.0.0.0/64", "10.0.0.0/99999999999999999999", "[::1]", "10.0.0/8", "1.2.3.4\u{0}", "1.2.3.4\u{0}/32",
    ])
    func isNotReadFromANetworkThatIsNone(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
