import CPostgres
import Foundation
import MartletStorage

/// Opens connections and sends cancellations, on threads that nobody waits for: libpq's name look-ups, handshakes and cancellations block.
struct Connector: Sendable {
    private let url: String
    private let defaults: [(String, String)]
    private let overrides: [(String, String)]

    /// Throws when libpq cannot read the URL. Its message may quote the URL, so it is not passed on.
    init(url: String, settings: PostgresSettings) throws {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            PQfreemem(message)
            throw SQLFailure(.cannotOpen, code: "url", subject: "the database URL cannot be read").thrown
        }
        defer { PQconninfoFree(options) }
        self.url = url
        defaults = [
            ("application_name", settings.applicationName), ("connect_timeout", String(max(2, settings.connectTimeout.components.seconds))),
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ]
        let given = Self.value(of: "options", in: options).map { "\($0) " } ?? ""
        overrides = [("client_encoding", "UTF8")] + (settings.preparedStatements ? [("options", given + Self.limits(settings))] : [])
    }

    /// Opens a connection and passes it on, or the failure.
    func open(_ done: @Sendable @escaping (Result<OpenedConnection, SQLFailure>) -> Void) {
        Self.onThreadOfItsOwn { done(connect()) }
    }

    func cancel(_ cancellation: Cancellation, _ done: @Sendable @escaping () -> Void) {
        Self.onThreadOfItsOwn {
            cancellation.send()
            done()
        }
    }

    /// Not one of Dispatch's: on Linux these also run the tasks that serve requests, and few are made while some are blocked.
    private static func onThreadOfItsOwn(_ work: @Sendable @escaping () -> Void) {
        let thread = Thread(block: work)
        thread.name = "martlet.connect"
        thread.start()
    }

    private func connect() -> Result<OpenedConnection, SQLFailure> {
        // What stands after the URL overrides it, what stands before is overridden by it.
        let parameters = defaults + [("dbname", url)] + overrides
        guard let connection = Self.connect(parameters) else {
            return .failure(SQLFailure(.cannotOpen, code: "53200", subject: "out of memory"))
        }
        guard PQstatus(connection) == CONNECTION_OK, PQsetnonblocking(connection, 1) == 0, PQenterPipelineMode(connection) == 1 else {
            defer { PQfinish(connection) }
            return .failure(SQLFailure(.cannotOpen, code: "08001", subject: String(cString: PQerrorMessage(connection)).singleLine))
        }
        // Notices would be printed to standard error.
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        return .success(OpenedConnection(connection))
    }

    private static func connect(_ parameters: [(String, String)]) -> OpaquePointer? {
        let names = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { for pointer in names + values { free(pointer) } }
        return PQconnectdbParams(names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    }

    /// The time limits that the server keeps, as start-up options.
    private static func limits(_ settings: PostgresSettings) -> String {
        let limits = [
            ("statement_timeout", settings.statementTimeout), ("lock_timeout", settings.lockTimeout),
            ("idle_in_transaction_session_timeout", settings.idleTransactionTimeout),
        ]
        return limits.map { "-c \($0.0)=\(max(1, Int($0.1 / .milliseconds(1))))" }.joined(separator: " ")
    }

    private static func value(of keyword: String, in options: UnsafeMutablePointer<PQconninfoOption>) -> String? {
        var option = options
        while let name = option.pointee.keyword {
            if String(cString: name) == keyword { return option.pointee.val.map { String(cString: $0) } }
            option += 1
        }
        return nil
    }
}

/// A connection on its way from the thread that opened it to ``Core``; only one of them has it.
struct OpenedConnection: Sendable {
    nonisolated(unsafe) let connection: OpaquePointer

    init(_ connection: OpaquePointer) {
        self.connection = connection
    }
}

/// What asks the server to stop whatever a connection is running; usable beside the connection, from any thread.
final class Cancellation: Sendable {
    let link: ConnectionID
    /// libpq: `PQcancel` may be called from any thread, as it only reads this.
    nonisolated(unsafe) private let handle: OpaquePointer

    init(_ handle: OpaquePointer, link: ConnectionID) {
        (self.handle, self.link) = (handle, link)
    }

    deinit { PQfreeCancel(handle) }

    /// Waits until the server has the request. When it cannot be reached, the statement ends by its time limit.
    func send() {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { message in
            _ = PQcancel(handle, message.baseAddress, Int32(message.count))
        }
    }
}

extension String {
    var singleLine: String { split(whereSeparator: \.isNewline).joined(separator: " ") }
}
