import HummingbirdCore
import Logging
import MartletCore
import MartletHTTP
public import MartletSettings
import MartletStorage
import MartletWire
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

extension App {
    /// Brings the schema up to date, or checks that it is, as the settings say; throws a `Failure` that says what to do.
    public func prepare() async throws {
        if settings.migrateOnStart {
            let applied = try await migrator.apply()
            if !applied.isEmpty { logger.notice("Migrated the database", metadata: ["migrations": "\(applied.joined(separator: ", "))"]) }
        }
        try await migrator.verify()
    }

    /// Serves until the process is told to stop (SIGTERM, SIGINT) or the task is cancelled; then what runs is finished, and the database
    /// closed.
    ///
    /// - Parameter onRunning: Called with the port once connections are accepted.
    public func run(signals: Bool = true, onRunning: @escaping @Sendable (Int) -> Void = { _ in }) async throws {
        let server = try HTTPServer.service(
            pipeline, at: .hostname(settings.host, port: settings.port), limits: WireLimits(settings), tls: WireTLS(settings),
            draining: draining, eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger
        ) { channel in onRunning(channel.localAddress?.port ?? 0) }
        var configuration = ServiceGroupConfiguration(
            services: [deadlines, DrainingServer(server: server, draining: draining)],
            gracefulShutdownSignals: signals ? [.sigterm, .sigint] : [],
            logger: Logger(label: "martlet.lifecycle") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = settings.shutdownTimeout
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// Chooses how many event loops the process has; to be called before anything uses them.
    public static func useThreads(of settings: Settings) {
        if settings.serverThreads > 0 { NIOSingletons.groupLoopCountSuggestion = settings.serverThreads }
    }
}

/// The server, and the moment it begins to drain: not ready any more, answers say `Connection: close`, then the listener closes.
private struct DrainingServer: Service {
    let server: any Service
    let draining: Draining

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            draining.begin()
        }
    }
}
