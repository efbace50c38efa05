import Foundation
public import MartletCore

/// How mail leaves.
///
/// Printing, dumping or reflecting it shows neither user nor password.
public enum MailURL: Sendable, Hashable, CustomStringConvertible {
    /// Not at all (`none`).
    case nowhere
    /// Each message is written into the log, which masks the secrets in it (`log:`).
    case log
    /// Each message is written as a file into a folder (`file:///folder`); one without a slash at its beginning is in the working folder.
    case folder(path: String)
    /// By a mail server (`smtp://user:password@host:587`, or `smtps://` for TLS from the first byte).
    case server(MailServerURL)

    var isServer: Bool {
        if case .server = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .nowhere: "none"
        case .log: "log:"
        case .folder(let path): path.hasPrefix("/") ? "file://\(path)" : "file:\(path)"
        case .server(let url): url.description
        }
    }
}

/// Where a mail server is: `smtp://user:password@host:587` or `smtps://user:password@host:465`, perhaps with `?ca_file=/path.pem`. Only the
/// host is required; user and password come together, percent-encoded.
public struct MailServerURL: Sendable, Hashable {
    /// Whether the connection is encrypted from its first byte, and not only by STARTTLS.
    public let isEncryptedAtOnce: Bool
    /// A name or address; an IPv6 address stands in brackets.
    public let host: String
    public let port: Int
    /// Certificates that are believed in the place of the system's.
    public let authorities: String?
    private let login: [Secret]

    /// What to log in with; `nil` for nothing. Do not let it reach a log, an error or an answer.
    public func unsafeRevealLogin() -> (user: String, password: String)? {
        login.isEmpty ? nil : (login[0].unsafeReveal(), login[1].unsafeReveal())
    }

    /// Whether it is on this very machine, so that nobody else sees what it is told.
    public var isLoopback: Bool {
        host == "localhost" || host == "[::1]" || IPAddress(host).map { IPNetwork("127.0.0.0/8")?.contains($0) == true } == true
    }

    init(_ text: String) throws(Refusal) {
        guard let scheme = ["smtp://", "smtps://"].first(where: text.hasPrefix) else {
            throw Refusal(repair: "Give smtp://user:password@host:587, smtps://user:password@host:465, file:///folder, log: or none.")
        }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "?" }
        let at = authority.lastIndex(of: "@")
        isEncryptedAtOnce = scheme == "smtps://"
        login = try Self.login(at.map { authority[..<$0] })
        (host, port) = try Self.place(
            at.map { authority[authority.index(after: $0)...] } ?? authority, standard: scheme == "smtps://" ? 465 : 587)
        authorities = try Self.authorities(text[authority.endIndex...])
    }

    private static func login(_ text: Substring?) throws(Refusal) -> [Secret] {
        guard let text else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).compactMap { String($0).removingPercentEncoding }
        let isWhole = parts.count == 2 && parts.allSatisfy { !$0.isEmpty && !$0.hasControlCharacters }
        guard isWhole, !text.contains(where: { "@/?#".contains($0) || $0.isWhitespace }) else {
            throw Refusal(repair: "Give user:password@ before the host, with @ as %40, : as %3A, / as %2F, % as %25 in them.")
        }
        return parts.map { Secret($0) }
    }

    private static func place(_ text: Substring, standard: Int) throws(Refusal) -> (host: String, port: Int) {
        let end = text.hasPrefix("[") ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":")
        let host = text[..<(end ?? text.endIndex)]
        guard HostText.isHost(host) else { throw Refusal(repair: "Give a host name or an address, IPv6 in brackets.") }
        let rest = text[host.endIndex...]
        guard !rest.isEmpty else { return (host.lowercased(), standard) }
        guard rest.hasPrefix(":"), let port = WholeNumber.read(rest.dropFirst()), (1...65_535).contains(port) else {
            throw Refusal(repair: "Give a port from 1 to 65535 after the host, and nothing behind it.")
        }
        return (host.lowercased(), port)
    }

    private static func authorities(_ query: Substring) throws(Refusal) -> String? {
        guard !query.isEmpty else { return nil }
        guard query.hasPrefix("?ca_file=/"), !query.contains("&"), !String(query).hasControlCharacters else {
            throw Refusal(repair: "Give no parameter but ?ca_file=/path.pem.")
        }
        return String(query.dropFirst("?ca_file=".count))
    }
}

extension MailServerURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public static func == (one: MailServerURL, other: MailServerURL) -> Bool { one.parts == other.parts }
    public func hash(into hasher: inout Hasher) { hasher.combine(parts) }

    private var parts: [String] {
        ["\(isEncryptedAtOnce)", host, "\(port)", authorities ?? ""] + login.map { $0.unsafeReveal() }
    }

    /// `smtp://…@host:587`
    public var description: String {
        let scheme = isEncryptedAtOnce ? "smtps" : "smtp"
        return "\(scheme)://\(login.isEmpty ? "" : "…@")\(host):\(port)\(authorities == nil ? "" : "?…")"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Kind where Value == MailURL {
    static var mailURL: Kind {
        Kind("mail URL", write: \.description) { (text, folder) throws(Refusal) in
            switch text {
            case "none": return .nowhere
            case "log:": return .log
            case _ where text.hasPrefix("file:"): return .folder(path: folder.absolute(try path(text)))
            default: return .server(try MailServerURL(text))
            }
        }
    }

    private static func path(_ text: String) throws(Refusal) -> String {
        let path = text.hasPrefix("file:///") ? text.dropFirst("file://".count) : text.dropFirst("file:".count)
        guard path.count > 1, !path.hasPrefix("//"), !text.hasControlCharacters, !path.contains(where: { "?#%".contains($0) }) else {
            throw Refusal(repair: "Give file:///absolute/path or file:path of a folder.")
        }
        return String(path)
    }
}

extension Kind where Value == Mailbox {
    static var mailbox: Kind {
        Kind("e-mail address", expected: "an e-mail address, such as no-reply@example.org", write: \.address) { Mailbox($0) }
    }
}
