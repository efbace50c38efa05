import CCurl
public import MartletCore
import NIOPosix
import Synchronization

/// Hands mail to a server by SMTP (RFC 5321), on threads of its own: libcurl blocks them, and nobody else.
///
/// Each message has a connection of its own. Where encryption is required, the server's certificate is verified and neither a login nor a
/// message leaves before the connection is encrypted.
public final class SMTPMailer: Mailer {
    private let server: SMTPServer
    private let sender: Mailbox
    private let format: MessageFormat
    private let threads: NIOThreadPool

    /// - Parameters:
    ///   - sender: What stands as `From`, and whom the server tells of mail that could not be delivered.
    ///   - concurrency: How many messages are on their way at a time; further ones wait.
    public init(_ server: SMTPServer, sender: Mailbox, concurrency: Int = 4, clock: WallClock = .system) {
        (self.server, self.sender) = (server, sender)
        format = MessageFormat(sender: sender, clock: clock)
        threads = NIOThreadPool(numberOfThreads: max(1, concurrency))
        threads.start()
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    public func send(_ message: MailMessage) async throws {
        let transfer = Transfer(format.bytes(of: message))
        try await withTaskCancellationHandler {
            try await threads.runIfActive { [server, sender] in
                try EasyHandle().send(transfer, to: message.to, from: sender, by: server)
            }
        } onCancel: {
            transfer.cancel()
        }
    }
}

/// A server that takes mail, and how it is spoken to.
public struct SMTPServer: Sendable {
    /// Whether a connection is encrypted.
    public enum Encryption: Sendable {
        /// From its first byte (RFC 8314 §3.3).
        case implicit
        /// By STARTTLS (RFC 3207), before anything is confided to it; a server that offers none is refused.
        case startTLS
        /// Not at all: for a server on the same machine.
        case none
    }

    /// A name or an address; an IPv6 address stands in brackets.
    public var host: String
    /// `nil` for 465 with implicit encryption, else 25.
    public var port: Int?
    public var encryption: Encryption
    /// What to log in with. Never shown.
    public var login: (@Sendable () -> (user: String, password: String))?
    /// The certificates that are believed, as a PEM file; `nil` for the system's.
    public var authorities: String?
    /// How long handing over one message may take, all steps together.
    public var timeout: Duration

    public init(
        host: String, port: Int? = nil, encryption: Encryption, login: (@Sendable () -> (user: String, password: String))? = nil,
        authorities: String? = nil, timeout: Duration = .seconds(30)
    ) {
        (self.host, self.port, self.encryption, self.login) = (host, port, encryption, login)
        (self.authorities, self.timeout) = (authorities, timeout)
    }
}

/// The bytes of one message on their way, which may be called off.
private final class Transfer: Sendable {
    private let bytes: [UInt8]
    private let taken = Atomic(0)
    private let cancelled = Atomic(false)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    /// Copies the next bytes, and returns how many; none at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let start = taken.load(ordering: .relaxed)
        let part = bytes[start..<min(bytes.count, start + buffer.count)]
        buffer.copyBytes(from: part)
        taken.store(part.endIndex, ordering: .relaxed)
        return part.count
    }
}

/// One use of libcurl (https://curl.se/libcurl/c/libcurl-easy.html).
private struct EasyHandle: ~Copyable {
    private let handle: UnsafeMutableRawPointer

    /// Once in a process, before anything else of it is used.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    init() throws(MailFailure) {
        guard Self.isReady, let handle = curl_easy_init() else { throw MailFailure("libcurl could not be begun.") }
        self.handle = handle
    }

    deinit { curl_easy_cleanup(handle) }

    /// Blocks the thread for as long as it takes.
    func send(_ transfer: Transfer, to recipient: Mailbox, from sender: Mailbox, by server: SMTPServer) throws {
        let recipients = curl_slist_append(nil, "<\(recipient)>")
        defer { curl_slist_free_all(recipients) }
        try reach(server, as: sender.domain)
        try set(CURLOPT_MAIL_FROM, "<\(sender)>")
        try check(curl_easy_set_list(handle, CURLOPT_MAIL_RCPT, recipients))
        try withExtendedLifetime(transfer) {
            try read(transfer)
            try conclude(curl_easy_perform(handle), transfer)
        }
    }

    private func reach(_ server: SMTPServer, as name: Substring) throws(MailFailure) {
        let scheme = server.encryption == .implicit ? "smtps" : "smtp"
        // What the path names is how we introduce ourselves.
        try set(CURLOPT_URL, "\(scheme)://\(server.host)\(server.port.map { ":\($0)" } ?? "")/\(name)")
        try set(CURLOPT_USE_SSL, Int((server.encryption == .none ? CURLUSESSL_NONE : CURLUSESSL_ALL).rawValue))
        if let login = server.login?() {
            try set(CURLOPT_USERNAME, login.user)
            try set(CURLOPT_PASSWORD, login.password)
        }
        if let authorities = server.authorities { try set(CURLOPT_CAINFO, authorities) }
        // No proxy, whatever the environment says.
        try set(CURLOPT_PROXY, "")
        // Signals are the whole process's.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_TIMEOUT_MS, max(1, Int(server.timeout / .milliseconds(1))))
    }

    private func read(_ transfer: Transfer) throws(MailFailure) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        try set(CURLOPT_UPLOAD, 1)
        try check(curl_easy_set_pointer(handle, CURLOPT_READDATA, context))
        try check(
            curl_easy_set_reader(handle) { buffer, size, count, context in
                guard let buffer, let context else { return Int(CURL_READFUNC_ABORT) }
                let room = UnsafeMutableRawBufferPointer(start: buffer, count: size * count)
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().read(into: room)
            })
        try set(CURLOPT_NOPROGRESS, 0)
        try check(curl_easy_set_pointer(handle, CURLOPT_XFERINFODATA, context))
        try check(
            curl_easy_set_watcher(handle) { context, _, _, _, _ in
                guard let context else { return 1 }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().isCancelled ? 1 : 0
            })
    }

    /// Libcurl says that a command failed, and the last code of the server tells why: what it refuses for good is not worth another try.
    private func conclude(_ code: CURLcode, _ transfer: Transfer) throws {
        guard code != CURLE_OK else { return }
        if transfer.isCancelled { throw CancellationError() }
        let answer = curl_easy_response_code(handle)
        guard code == CURLE_SEND_ERROR, answer >= 500 else {
            throw MailFailure("The mail server could not be spoken to: \(String(cString: curl_easy_strerror(code))).")
        }
        throw MailFailure(isPermanent: true, "The mail server refused the sender, the recipient or the message (\(answer)).")
    }

    private func set(_ option: CURLoption, _ text: String) throws(MailFailure) { try check(curl_easy_set_text(handle, option, text)) }
    private func set(_ option: CURLoption, _ number: Int) throws(MailFailure) { try check(curl_easy_set_number(handle, option, number)) }

    private func check(_ code: CURLcode) throws(MailFailure) {
        guard code == CURLE_OK else { throw MailFailure("libcurl lacks an option: \(String(cString: curl_easy_strerror(code))).") }
    }
}
