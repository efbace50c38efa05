/// A link that can be a bookmark, with the form by which two links are the same bookmark.
///
/// Two links are the same when their normal forms are equal:
/// - scheme and host are lower-cased (RFC 3986 §6.2.2.1), the default port is dropped, and one trailing `/` of the path;
/// - parameters that only say where the reader came from are dropped (``isTracking(_:)``); all others stay, in their order, so two
///   videos `watch?v=A` and `watch?v=B` are two bookmarks;
/// - the fragment is dropped, unless it starts with `!` or `/`: those are the pages of an application that routes in the browser;
/// - percent-encoded bytes are written in upper case; path, query and fragment keep their case, for servers tell them apart.
///
/// The scheme counts: `http` and `https` are two origins and may serve two pages, and whoever saved the plain one should see so.
/// A host in Unicode and the same one in Punycode also count as two.
struct LinkIdentity: Hashable, Sendable {
    /// The longest link that is accepted, in Unicode scalars.
    static let maximumLength = 2_048

    /// The link as it was given, without the white space around it.
    let link: String
    let normalForm: String

    /// Reads a link; every text that is not an `http` or `https` link is refused with the reason.
    init(_ text: some StringProtocol) throws(LinkFault) {
        link = String(text).trimmingWhitespace()
        let rest = try Self.afterScheme(of: link)
        guard link.unicodeScalars.count <= Self.maximumLength else { throw .tooLong }
        guard !link.unicodeScalars.contains(where: { $0.isForbiddenInLink }) else { throw .invalidFormat }
        normalForm = try Self.normalForm(scheme: rest.scheme, rest: rest.text)
    }

    /// The normal form of a link, or `nil` when it cannot be a bookmark.
    static func normalForm(of text: String) -> String? {
        do {
            return try LinkIdentity(text).normalForm
        } catch {
            return nil
        }
    }
}

/// Why a link cannot be a bookmark; the raw values are the skip reasons that an import reports.
enum LinkFault: String, Error, CaseIterable, Sendable {
    case emptyURL = "empty_url"
    /// Anything but `http` and `https`: `javascript:`, `file:`, `place:`, ….
    case invalidScheme = "invalid_scheme"
    /// No host, relative, with white space or control characters, or with a user name or password in it.
    case invalidFormat = "invalid_format"
    case tooLong = "too_long"

    /// One sentence for the user.
    var message: String {
        switch self {
        case .emptyURL: "The link is empty."
        case .invalidScheme: "Only http and https links can be bookmarks."
        case .invalidFormat: "This is not a complete web link."
        case .tooLong: "A link has at most \(LinkIdentity.maximumLength) characters."
        }
    }
}

// MARK: - The parts of a link

extension LinkIdentity {
    /// The scheme is looked at before the length, so that a long bookmarklet is named for what it is.
    private static func afterScheme(of link: String) throws(LinkFault) -> (scheme: Scheme, text: Substring) {
        guard !link.isEmpty else { throw .emptyURL }
        guard let colon = link.utf8.prefix(64).firstIndex(of: UInt8(ascii: ":")) else { throw overlong(link) ?? .invalidFormat }
        let name = link[..<colon]
        guard isSchemeName(name) else { throw overlong(link) ?? .invalidFormat }
        guard let scheme = Scheme(rawValue: name.lowercased()) else { throw .invalidScheme }
        let rest = link[link.utf8.index(after: colon)...]
        guard rest.hasPrefix("//") else { throw .invalidFormat }
        return (scheme, rest.dropFirst(2))
    }

    private enum Scheme: String {
        case http, https

        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    private static func overlong(_ link: String) -> LinkFault? {
        link.unicodeScalars.count > maximumLength ? .tooLong : nil
    }

    /// RFC 3986 §3.1.
    private static func isSchemeName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, first.isASCIILetter else { return false }
        return name.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "+-.".utf8.contains($0) }
    }

    private static func normalForm(scheme: Scheme, rest: Substring) throws(LinkFault) -> String {
        let authority = Substring(rest.utf8.prefix { !"/?#".utf8.contains($0) })
        let (beforeFragment, fragment) = rest[authority.endIndex...].cut(at: "#")
        let (path, query) = beforeFragment.cut(at: "?")
        var form = scheme.rawValue + "://" + (try normalAuthority(authority, scheme))
        form += (path.hasSuffix("/") ? path.dropLast() : path).upperCasingPercentTriplets()
        form += withoutTracking(query ?? "").upperCasingPercentTriplets()
        if let fragment, fragment.hasPrefix("!") || fragment.hasPrefix("/") {
            form += "#" + fragment.upperCasingPercentTriplets()
        }
        return form
    }

    private static func withoutTracking(_ query: Substring) -> Substring {
        let parameters = query.utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map { Substring($0) }
        let joined = parameters.filter { !isTracking($0.cut(at: "=").0) }.joined(separator: "&")
        return joined.isEmpty ? "" : "?" + joined[...]
    }

    /// Whether a query parameter says only where the reader came from.
    private static func isTracking(_ name: Substring) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("utm_") || ["fbclid", "gclid", "ref", "source", "campaign"].contains(name)
    }
}

// MARK: - Host and port

extension LinkIdentity {
    /// A user name or password would be stored and exported in the clear, so a link with one is refused.
    private static func normalAuthority(_ authority: Substring, _ scheme: Scheme) throws(LinkFault) -> String {
        guard !authority.utf8.contains(UInt8(ascii: "@")) else { throw .invalidFormat }
        let (host, portText) = splitPort(authority)
        guard isHost(host) else { throw .invalidFormat }
        guard let portText, !portText.isEmpty else { return host.lowercased() }
        guard portText.utf8.count <= 5, portText.utf8.allSatisfy(\.isASCIIDigit), let port = Int(portText), (1...65_535).contains(port)
        else { throw .invalidFormat }
        return port == scheme.defaultPort ? host.lowercased() : "\(host.lowercased()):\(port)"
    }

    /// The colons of an IPv6 address are inside brackets.
    private static func splitPort(_ authority: Substring) -> (host: Substring, port: Substring?) {
        guard authority.hasPrefix("[") else { return authority.cut(at: ":") }
        guard let bracket = authority.firstIndex(of: "]") else { return ("", nil) }
        let rest = authority[authority.index(after: bracket)...]
        if rest.isEmpty { return (authority, nil) }
        return rest.hasPrefix(":") ? (authority[...bracket], rest.dropFirst()) : ("", nil)
    }

    private static func isHost(_ host: Substring) -> Bool {
        guard !host.isEmpty, host.utf8.count <= 1_024 else { return false }
        if host.hasPrefix("[") { return isIPv6(host.dropFirst().dropLast()) }
        let labels = (host.hasSuffix(".") ? host.dropLast() : host).split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { !$0.isEmpty } && host.unicodeScalars.allSatisfy(isHostCharacter)
    }

    /// Letters, digits, `-`, `.`, `_`, and whatever Unicode calls visible, since browsers show names in their own script.
    private static func isHostCharacter(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII, let byte = UInt8(exactly: scalar.value) else { return true }
        return byte.isASCIILetter || byte.isASCIIDigit || "-._".unicodeScalars.contains(scalar)
    }

    private static func isIPv6(_ address: Substring) -> Bool {
        address.utf8.count >= 2 && address.utf8.count <= 45 && address.contains(":")
            && address.utf8.allSatisfy { $0.isASCIIHexDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
    }
}

extension Substring {
    /// What stands before the first `separator`, and what stands after it, if it is there.
    ///
    /// By bytes: a combining mark after a `?` would hide it among characters.
    fileprivate func cut(at separator: Unicode.Scalar) -> (Substring, Substring?) {
        guard let index = utf8.firstIndex(of: UInt8(ascii: separator)) else { return (self, nil) }
        return (self[..<index], self[utf8.index(after: index)...])
    }

    /// `%c3%a9` as `%C3%A9` (RFC 3986 §6.2.2.1); a `%` without two hexadecimal digits after it stays as it is.
    fileprivate func upperCasingPercentTriplets() -> String {
        var bytes = Array(utf8)
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") && bytes.count - index > 2 {
            guard bytes[index + 1].isASCIIHexDigit, bytes[index + 2].isASCIIHexDigit else { continue }
            bytes[index + 1] = bytes[index + 1].asciiUpperCased
            bytes[index + 2] = bytes[index + 2].asciiUpperCased
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
