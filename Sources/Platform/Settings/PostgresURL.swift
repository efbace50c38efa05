/// Where a PostgreSQL database is, as libpq reads it
/// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS): user, password, database and parameters may be
/// left out, and hosts may be several, or none for the local socket.
///
/// Printing, dumping or reflecting it shows neither user nor password nor parameters.
public struct PostgresURL: Sendable {
    private let text: Secret

    /// Reads `postgres://…` and `postgresql://…`, also with the name of a driver as in `postgresql+asyncpg://…`.
    init(_ written: String) throws(Refusal) {
        guard let rest = Self.withoutScheme(written) else {
            throw Refusal(repair: "Give postgres://user:password@host:5432/database.")
        }
        try PostgresURLParts(rest).check()
        text = Secret("postgresql://\(rest)")
    }

    /// The URL for libpq, which begins with `postgresql://`. It may hold a password: do not let it reach a log, an error or an answer.
    public func unsafeReveal() -> String { text.unsafeReveal() }

    /// Whether a URL means PostgreSQL, well-formed or not.
    static func isMeant(by text: String) -> Bool {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        return text.contains(":") && schemes.contains(String(scheme.prefix { $0 != "+" }))
    }

    private static func withoutScheme(_ text: String) -> Substring? {
        guard isMeant(by: text), let end = text.firstRange(of: "://") else { return nil }
        let driver = text[..<end.lowerBound].drop { $0 != "+" }
        return driver.isEmpty || driver.dropFirst().wholeMatch(of: /\w+/) != nil ? text[end.upperBound...] : nil
    }

    private static let schemes = ["postgres", "postgresql"]
}

extension PostgresURL: Hashable {
    public static func == (one: PostgresURL, other: PostgresURL) -> Bool { one.unsafeReveal() == other.unsafeReveal() }
    public func hash(into hasher: inout Hasher) { hasher.combine(unsafeReveal()) }
}

extension PostgresURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `postgresql://…@host:5432/database?…`
    public var description: String { Shown.withoutCredentials(unsafeReveal()) }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What stands after `postgres://`, taken apart as libpq does it (`conninfo_uri_parse_options`), and stricter where libpq guesses.
private struct PostgresURLParts {
    private let text: Substring
    private let authority: Substring
    private let database: Substring
    private let query: Substring

    init(_ text: Substring) {
        self.text = text
        authority = text.prefix { $0 != "/" && $0 != "?" }
        let path = text[authority.endIndex...].prefix { $0 != "?" }
        database = path.dropFirst()
        query = text[path.endIndex...].dropFirst()
    }

    func check() throws(Refusal) {
        try checkCharacters()
        try checkHosts()
        try checkParameters()
    }

    private func checkCharacters() throws(Refusal) {
        guard !String(text).hasControlCharacters, !text.contains(where: \.isWhitespace) else {
            throw Refusal(repair: "Give a URL without spaces and control characters.")
        }
        let ats = text.count { $0 == "@" }
        let isSeparated = ats == 0 || (ats == 1 && authority.contains("@"))
        guard isSeparated, !text.contains("#"), !database.contains("/"), Self.isPercentEncoded(text) else {
            let marks = "@ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25"
            throw Refusal(repair: "Percent-encode such characters within names, passwords and parameters: \(marks).")
        }
    }

    private func checkHosts() throws(Refusal) {
        let hosts = authority.suffix(from: authority.firstIndex(of: "@").map(authority.index(after:)) ?? authority.startIndex)
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            let port = host.drop { $0 != "]" }.isEmpty ? host.drop { $0 != ":" } : host.drop { $0 != "]" }.dropFirst()
            guard Self.isHost(host[..<port.startIndex]) else {
                throw Refusal(repair: "Give a host name or an address, IPv6 in brackets, or no host for the local socket.")
            }
            guard port.isEmpty || port == ":" || Self.isPort(port) else {
                throw Refusal(repair: "Give a port from 1 to 65535 after the host.")
            }
        }
    }

    private func checkParameters() throws(Refusal) {
        guard !query.isEmpty else { return }
        let parameters = query.split(separator: "&", omittingEmptySubsequences: false)
        guard parameters.allSatisfy({ !$0.hasPrefix("=") && $0.count(where: { $0 == "=" }) == 1 }) else {
            throw Refusal(repair: "Give parameters as ?name=value&name=value, and = within a value as %3D.")
        }
    }

    /// A socket's folder is percent-encoded: `%2Frun%2Fpostgresql`.
    private static func isHost(_ host: Substring) -> Bool {
        host.isEmpty || HostText.isHost(host)
            || (host.hasPrefix("%2") && host.utf8.allSatisfy { HostText.isName($0) || $0 == UInt8(ascii: "%") })
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.hasPrefix(":") && WholeNumber.read(text.dropFirst()).map { (1...65_535).contains($0) } == true
    }

    /// Every `%` begins two hexadecimal digits, which are not those of NUL: C text ends there.
    private static func isPercentEncoded(_ text: Substring) -> Bool {
        text.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy { part in
            let digits = part.utf8.prefix(2)
            return digits.count == 2 && Substring(digits).allSatisfy { $0.isASCII && $0.isHexDigit } && !part.hasPrefix("00")
        }
    }
}
