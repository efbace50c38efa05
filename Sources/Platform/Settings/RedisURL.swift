/// Where a Redis server is: `redis://user:password@host:6379/0`, or `rediss://` for TLS
/// (https://www.iana.org/assignments/uri-schemes/prov/redis). Only the host is required.
///
/// Printing, dumping or reflecting it shows neither user nor password nor parameters.
public struct RedisURL: Sendable {
    private let text: Secret

    init(_ written: String) throws(Refusal) {
        try RedisURLParts(written).check()
        text = Secret(written)
    }

    /// The URL for the driver. It may hold a password: do not let it reach a log, an error or an answer.
    public func unsafeReveal() -> String { text.unsafeReveal() }
}

extension RedisURL: Hashable {
    public static func == (one: RedisURL, other: RedisURL) -> Bool { one.unsafeReveal() == other.unsafeReveal() }
    public func hash(into hasher: inout Hasher) { hasher.combine(unsafeReveal()) }
}

extension RedisURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `redis://…@host:6379/0?…`
    public var description: String { Shown.withoutCredentials(unsafeReveal()) }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Kind where Value == RedisURL {
    static var redisURL: Kind {
        Kind("Redis URL", write: \.description) { (text, _) throws(Refusal) in try RedisURL(text) }
    }
}

/// A URL of a Redis server, taken apart.
private struct RedisURLParts {
    private let text: String
    private let isEncrypted: Bool
    private let login: Substring?
    private let place: Substring
    private let database: Substring
    private let query: Substring?

    init(_ text: String) throws(Refusal) {
        guard let scheme = ["redis://", "rediss://"].first(where: text.lowercased().hasPrefix) else {
            throw Refusal(repair: "Give redis://user:password@host:6379/0, or rediss:// for TLS.")
        }
        self.text = text
        isEncrypted = scheme == "rediss://"
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        let at = authority.firstIndex(of: "@")
        login = at.map { authority[..<$0] }
        place = at.map { authority[authority.index(after: $0)...] } ?? authority
        let path = text[authority.endIndex...].prefix { $0 != "?" }
        database = path.dropFirst()
        query = path.endIndex == text.endIndex ? nil : text[path.endIndex...].dropFirst()
    }

    func check() throws(Refusal) {
        try checkCharacters()
        try checkLogin()
        try checkPlace()
        try checkParameters()
    }

    private func checkCharacters() throws(Refusal) {
        guard !text.hasControlCharacters, !text.contains(where: \.isWhitespace) else {
            throw Refusal(repair: "Give a URL without spaces and control characters.")
        }
        guard text.count(where: { $0 == "@" }) == (login == nil ? 0 : 1), !text.contains("#"), isPercentEncoded else {
            let marks = "@ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25"
            throw Refusal(repair: "Percent-encode such characters in names and passwords: \(marks).")
        }
    }

    private func checkLogin() throws(Refusal) {
        guard let login else { return }
        let parts = login.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty else {
            throw Refusal(repair: "Give user:password@ before the host, or :password@, with : as %3A in them.")
        }
    }

    private func checkPlace() throws(Refusal) {
        let port = place.drop { $0 != "]" }.isEmpty ? place.drop { $0 != ":" } : place.drop { $0 != "]" }.dropFirst()
        guard HostText.isHost(place[..<port.startIndex]) else { throw Refusal(repair: "Give a host name or an address, IPv6 in brackets.") }
        guard port.isEmpty || (port.hasPrefix(":") && Self.isNumber(port.dropFirst(), 1...65_535)) else {
            throw Refusal(repair: "Give a port from 1 to 65535 after the host.")
        }
        guard database.isEmpty || Self.isNumber(database, 0...65_535) else {
            throw Refusal(repair: "Give the number of the database after the host, as in /0.")
        }
    }

    private func checkParameters() throws(Refusal) {
        guard let query else { return }
        let isFile = query.hasPrefix("ca_file=") && query.count > 8 && !query.contains("&")
        guard isFile, isEncrypted else { throw Refusal(repair: "Give no parameter but ?ca_file=/path.pem, and that only with rediss://.") }
    }

    private var isPercentEncoded: Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { part in
            part.utf8.prefix(2).count == 2 && part.prefix(2).allSatisfy { $0.isASCII && $0.isHexDigit }
        }
    }

    private static func isNumber(_ text: Substring, _ range: ClosedRange<Int>) -> Bool {
        WholeNumber.read(text).map(range.contains) ?? false
    }
}
