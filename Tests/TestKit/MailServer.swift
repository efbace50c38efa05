public import Logging
public import MartletCore
import MartletSettings
public import MartletTestSupport
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

/// A mail server within the test, by SMTP: keeps what it is told, and misbehaves where it is asked to.
public final class MailServer: Sendable {
    /// How it treats who comes.
    public enum Manner: Sendable {
        case taking
        /// Answers the first command that begins so with this line.
        case refusing(String, with: String)
        /// Says nothing at all.
        case silent
        /// Closes each connection at once.
        case hangingUp
    }

    /// A message as it arrived.
    public struct Mail: Sendable {
        public internal(set) var sender = ""
        public internal(set) var recipients: [String] = []
        /// Its lines, separated by `\n`.
        public internal(set) var text = ""
    }

    private struct State {
        var manner: Manner
        var mails: [Mail] = []
        var commands: [String] = []
    }

    private let state: Mutex<State>
    /// What it encrypts connections with that ask for it; `nil` when it cannot.
    fileprivate let encryption: NIOSSLContext?
    private let listener = Mutex<(any Channel)?>(nil)

    private init(_ manner: Manner, _ encryption: NIOSSLContext?) {
        state = Mutex(State(manner: manner))
        self.encryption = encryption
    }

    /// Runs `body` beside a server that listens on loopback.
    ///
    /// - Parameter certificates: Its own, for those who ask for encryption (RFC 3207); `nil` when it offers none.
    public static func beside(
        _ manner: Manner = .taking, certificates: Certificates? = nil, _ body: (MailServer) async throws -> Void
    ) async throws {
        let server = MailServer(manner, try certificates.map(secureContext))
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture { try client.pipeline.syncOperations.addHandler(Conversation(server)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.listener.withLock { $0 = channel }
        let outcome = await Result { try await body(server) }
        try await channel.close()
        try outcome.get()
    }

    private static func secureContext(of certificates: Certificates) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(certificates.path("server.pem")).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: certificates.path("server.key"), format: .pem)
        return try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }

    public var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    public var mails: [Mail] { state.withLock { $0.mails } }
    /// Every line that it was told outside of messages.
    public var commands: [String] { state.withLock { $0.commands } }

    public var manner: Manner {
        get { state.withLock { $0.manner } }
        set { state.withLock { $0.manner = newValue } }
    }

    fileprivate func note(_ command: String) { state.withLock { $0.commands.append(command) } }
    fileprivate func take(_ mail: Mail) { state.withLock { $0.mails.append(mail) } }
}

/// Runs the application with a mail server of its own.
public func withMail(
    clock: WallClock = .system, logger: Logger = .silent, environment: [String: String] = [:],
    _ body: (TestApp, MailServer) async throws -> Void
) async throws {
    try await MailServer.beside { server in
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let mail = [
            "MAIL_URL": "smtp://mailer:\(MailServer.password)@127.0.0.1:\(server.port)", "MAIL_FROM": "no-reply@example.com",
            "PUBLIC_URL": "https://martlet.example", "MAIL_TIMEOUT": "2s",
        ]
        let settings = try folder.settings(mail.merging(environment) { $1 })
        try await withRunningApp(settings, folder: folder.path, clock: clock, logger: logger) { try await body($0, server) }
    }
}

extension MailServer {
    /// What the application logs in with.
    public static let password = "canarymail-5e0d"

    /// The token in the latest mail to an address that leads to a page.
    public func token(for page: String, to address: String) throws -> String {
        let mail = try #require(mails.last { $0.recipients == [address] && $0.text.contains("/\(page)#token=") }, "no mail to \(address)")
        return try #require(mail.token)
    }
}

extension MailServer.Mail {
    /// What stands behind `#token=` in its text.
    public var token: String? { text.firstMatch(of: /#token=([A-Za-z0-9_-]{43})$/.anchorsMatchLineEndings()).map { String($0.1) } }
}

/// One connection, line by line (RFC 5321).
private final class Conversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Expecting { case command, password, message }

    private let server: MailServer
    private var pending: [UInt8] = []
    private var expecting = Expecting.command
    private var mail = MailServer.Mail()
    private var isEncrypted = false

    init(_ server: MailServer) { self.server = server }

    func channelActive(context: ChannelHandlerContext) {
        switch server.manner {
        case .silent: break
        case .hangingUp: context.close(promise: nil)
        case .taking, .refusing: say("220 mail.example", context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        pending += unwrapInboundIn(data).readableBytesView
        while let end = pending.firstRange(of: Array("\r\n".utf8)) {
            let line = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
            pending.removeSubrange(..<end.upperBound)
            take(line, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func take(_ line: String, _ context: ChannelHandlerContext) {
        switch expecting {
        case .message: takeText(line, context)
        case .password:
            server.note(line)
            expecting = .command
            say("235 welcome", context)
        case .command:
            server.note(line)
            answer(line, context)
        }
    }

    private func takeText(_ line: String, _ context: ChannelHandlerContext) {
        guard line == "." else {
            mail.text += (line.hasPrefix(".") ? line.dropFirst() : line[...]) + "\n"
            return
        }
        expecting = .command
        if case .refusing(".", let answer) = server.manner { return say(answer, context) }
        server.take(mail)
        say("250 taken", context)
    }

    private func answer(_ command: String, _ context: ChannelHandlerContext) {
        if case .refusing(let refused, let answer) = server.manner, command.hasPrefix(refused) { return say(answer, context) }
        switch command.prefix(4).uppercased() {
        case "EHLO": say("250-mail.example\r\n\(offersEncryption ? "250-STARTTLS\r\n" : "")250 AUTH PLAIN", context)
        case "STAR": encrypt(context)
        case "AUTH":
            expecting = .password
            say("334 ", context)
        case "MAIL":
            mail = MailServer.Mail(sender: Self.address(in: command))
            say("250 ok", context)
        case "RCPT":
            mail.recipients.append(Self.address(in: command))
            say("250 ok", context)
        case "DATA":
            expecting = .message
            say("354 go on", context)
        case "QUIT":
            say("221 bye", context)
            context.close(promise: nil)
        default: say("502 what?", context)
        }
    }

    private var offersEncryption: Bool { server.encryption != nil && !isEncrypted }

    /// From the next byte on.
    private func encrypt(_ context: ChannelHandlerContext) {
        guard let encryption = server.encryption else { return say("502 what?", context) }
        say("220 go on", context)
        isEncrypted = true
        do {
            try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: encryption), position: .first)
        } catch {
            context.close(promise: nil)
        }
    }

    private static func address(in command: String) -> String {
        String(command.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
    }

    private func say(_ line: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: line + "\r\n")), promise: nil)
    }
}
