/// Scheme, host and port of a web site, in the form browsers send (RFC 6454 §6.2): lower case, no default port, no path.
public struct WebOrigin: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    public let scheme: String
    /// A name or address; an IPv6 address stands in brackets.
    public let host: String
    /// `nil` for the scheme's own port.
    public let port: Int?

    /// Reads `https://example.com` or `http://localhost:3000`; `nil` for anything more or less.
    public init?(_ text: String) {
        let text = text.lowercased()
        guard let scheme = ["http", "https"].first(where: { text.hasPrefix("\($0)://") }),
            let (host, port) = Self.split(text.dropFirst(scheme.count + 3)), HostText.isHost(host)
        else { return nil }
        self.scheme = scheme
        self.host = String(host)
        self.port = port == (scheme == "https" ? 443 : 80) ? nil : port
    }

    public var description: String {
        "\(scheme)://\(host)" + (port.map { ":\($0)" } ?? "")
    }

    private static func split(_ authority: Substring) -> (host: Substring, port: Int?)? {
        let hostEnd = authority.hasPrefix("[") ? authority.firstIndex(of: "]").map(authority.index(after:)) : authority.firstIndex(of: ":")
        guard let hostEnd, hostEnd != authority.endIndex else { return (authority, nil) }
        guard authority[hostEnd] == ":", let port = WholeNumber.read(authority[authority.index(after: hostEnd)...]),
            (1...65_535).contains(port)
        else { return nil }
        return (authority[..<hostEnd], port)
    }
}

/// The web origins whose pages may call the API.
public enum CrossOrigins: Sendable, Hashable {
    /// Every origin (`*`), never with credentials.
    case all
    /// Exactly these; none when empty.
    case only([WebOrigin])
}

extension Kind where Value == WebOrigin {
    static var webOrigin: Kind {
        Kind(
            "web origin", expected: "http:// or https://, a host and at most a port, with no path and no slash at the end",
            write: \.description, read: WebOrigin.init)
    }
}

extension Kind where Value == CrossOrigins {
    static var crossOrigins: Kind {
        Kind(
            "web origins, or `*`", expected: "origins such as https://app.example.com separated by commas and without paths, or * alone",
            write: \.written, read: CrossOrigins.init)
    }
}

extension CrossOrigins {
    init?(_ text: String) {
        guard text != "*" else {
            self = .all
            return
        }
        let parts = text.split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
        let origins = parts.compactMap { WebOrigin($0) }
        guard origins.count == parts.count else { return nil }
        self = .only(origins)
    }

    var written: String {
        switch self {
        case .all: "*"
        case .only(let origins): origins.map(\.description).joined(separator: ",")
        }
    }
}

/// What the host part of a URL is made of (RFC 3986 §3.2.2), without percent-encoding: names in other scripts are given in Punycode.
enum HostText {
    static func isHost(_ text: Substring) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") { return isAddress(text.dropFirst().dropLast()) }
        return !text.isEmpty && text.utf8.count <= 253 && text.utf8.allSatisfy(isName)
    }

    static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isAddress(_ text: Substring) -> Bool {
        text.contains(":") && text.allSatisfy { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
    }
}
