import HummingbirdCore
import Logging
import MartletAudit
import MartletCore
import MartletDataCopy
import MartletHTTP
import MartletIdentity
import MartletOverload
import MartletRedis
public import MartletSettings
import MartletStorage
import MartletTelemetry
public import MartletWire
import NIOCore
import NIOPosix
import ServiceLifecycle
import Tracing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension App {
    /// Brings the schema up to date, or checks that it is, as the settings say; throws a `Failure` that says what to do.
    public func prepare() async throws {
        try await awaitDatabase()
        if settings.migrateOnStart {
            let applied = try await migrator.apply()
            if !applied.isEmpty { logger.notice("Migrated the database", metadata: ["migrations": "\(applied.joined(separator: ", "))"]) }
        }
        try await migrator.verify()
        try await DataCopy.refuseUnfinished(in: database)
        if settings.testRoutes { try await TestShelf.prepare(database) }
        if settings.mailURL == .nowhere {
            logger.warning("No mail is sent: set MAIL_URL, or forgotten passwords cannot be replaced and addresses not be verified")
        }
    }

    /// A database server that is started together with this one may take a moment longer.
    private func awaitDatabase() async throws {
        guard case .postgres = settings.databaseURL else { return }
        let end = ContinuousClock.now + settings.databaseTimeout
        var isAnnounced = false
        while true {
            do {
                return try await database.check()
            } catch let failure as Failure where failure.kind == .unavailable && .now < end {
                if !isAnnounced { logger.notice("Waiting for the database", metadata: ["at most": "\(settings.databaseTimeout)"]) }
                isAnnounced = true
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Serves until the process is told to stop (SIGTERM, SIGINT) or the task is cancelled; then what runs is finished, and the database
    /// closed. Jobs run beside it, unless the settings say otherwise. A second signal ends the process at once.
    ///
    /// - Parameters:
    ///   - place: Where to listen, if not at the address of the settings.
    ///   - instructions: What the process is told in other ways than by signals.
    ///   - onRunning: Called with the port once connections are accepted.
    public func run(
        signals: Bool = true, at place: ListeningPlace? = nil, instructions: AsyncStream<Instruction> = AsyncStream { $0.finish() },
        onRunning: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws {
        let server = try HTTPServer.service(
            pipeline, at: place ?? .address(host: settings.host, port: settings.port), limits: WireLimits(settings), tls: WireTLS(settings),
            draining: draining, reloads: reloads, eventLoops: MultiThreadedEventLoopGroup.singleton, logger: logger.named("martlet.http")
        ) { port in onRunning(port) }
        let silent = Self.silentLogger
        let draining = AfterLoading(
            denylist: denylist, logger: logger, server: DrainingServer(server, draining, delay: settings.drainDelay, logger: silent))
        try await run(
            [deadlines, streams, TailReader(tail: tail), sightings] + loadWatch + shared.services
                + (settings.metrics ? [LagProbe(MultiThreadedEventLoopGroup.singleton, metrics)] : [])
                + [Company(settings.jobsInServer ? [draining, worker] : [draining])],
            instructions: signals ? instructions : nil)
    }

    private var loadWatch: [any ServiceLifecycle.Service] {
        guard let admission else { return [] }
        return [
            LoadWatch(admission, logger: logger) { [database] in
                let load = database.load
                return (load.waiting, load.queued)
            }
        ]
    }

    /// Runs jobs, and nothing else, until the process is told to stop or the task is cancelled; then running jobs are finished or returned.
    public func work(signals: Bool = true) async throws {
        try await run([worker], instructions: signals ? AsyncStream { $0.finish() } : nil)
    }

    /// - Parameter instructions: Beside signals; `nil` when neither is heeded.
    private func run(_ services: [any ServiceLifecycle.Service], instructions: AsyncStream<Instruction>?) async throws {
        // The exporter is the last to be told to stop: it tells of all others.
        let services = (traceExporter.map { [$0] } ?? []) + services
        var configuration = ServiceGroupConfiguration(services: services, logger: Self.silentLogger)
        configuration.maximumGracefulShutdownDuration = settings.drainDelay + settings.shutdownTimeout
        let group = ServiceGroup(configuration: configuration)
        let handler = InstructionHandler(group: group, draining: draining, reloads: reloads, logger: logger)
        let heeding = instructions.map { instructions in Task { await handler.run(instructions) } }
        defer { heeding?.cancel() }
        do {
            try await group.run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    private func close() async {
        await shared.redis?.close()
        await audit.close()
        await database.close()
        await logs.flush()
    }

    private static let silentLogger = Logger(label: "martlet.lifecycle") { _ in SwiftLogNoOpLogHandler() }

    /// Makes the process ready to serve: nothing outside it may end it by a broken pipe.
    ///
    /// - Parameter serves: Whether it will read things anew at SIGHUP; until it can, that signal is nothing to die of.
    public static func prepareProcess(for settings: Settings, serves: Bool = false) {
        StandardStream.ignoreBrokenPipes()
        if serves { signal(SIGHUP, SIG_IGN) }
        useThreads(of: settings)
        // Libraries know no other way to find a tracer.
        if settings.collectorURL != nil { InstrumentationSystem.bootstrap(ContextTracer()) }
    }

    /// Chooses how many event loops the process has; to be called before anything uses them.
    private static func useThreads(of settings: Settings) {
        if settings.serverThreads > 0 { NIOSingletons.groupLoopCountSuggestion = settings.serverThreads }
    }
}

/// Reads the outbox while the server runs.
private struct TailReader: ServiceLifecycle.Service {
    let tail: OutboxTail

    func run() async { await cancelWhenGracefulShutdown { await tail.run() } }
}

/// The server, once it is known whose access was ended before their tokens expire.
private struct AfterLoading: ServiceLifecycle.Service {
    let denylist: Denylist
    let logger: Logger
    let server: DrainingServer

    func run() async throws {
        guard try await cancelWhenGracefulShutdown({ try await load() }) else { return }
        try await server.run()
    }

    /// Returns whether that is known; not when the process is to end before. An outage is waited out.
    private func load() async throws -> Bool {
        while !Task.isCancelled {
            do {
                try await denylist.load()
                return !Task.isCancelled
            } catch is CancellationError {
                return false
            } catch let failure as Failure where failure.kind == .unavailable {
                logger.warning("Waiting to read which sessions have ended", error: failure)
                try? await Task.sleep(for: .seconds(1))
            }
        }
        return false
    }
}

/// Services that are told to stop at the same moment, unlike those of a group, which stop one after another.
private struct Company: ServiceLifecycle.Service {
    let services: [any ServiceLifecycle.Service]

    init(_ services: [any ServiceLifecycle.Service]) { self.services = services }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await service.run() } }
            while try await group.next() != nil {}
        }
    }
}

/// The server, told to stop in two steps, so that nobody who is on the way is turned away: first it drains (not ready any more,
/// answers say `Connection: close`, new connections are still served), and after a delay its listener closes.
private struct DrainingServer: Service {
    let server: ServiceGroup
    let draining: Draining
    let delay: Duration
    /// Others serve in the place of one that retires, so it gives connections at least this long to ask for something once more: closing one
    /// that a client is about to use costs that client its request.
    private static let retirement = Duration.seconds(2)

    init(_ server: any Service, _ draining: Draining, delay: Duration, logger: Logger) {
        // One that retires ends by itself once its last connection has.
        let service = ServiceGroupConfiguration.ServiceConfiguration(
            service: server, successTerminationBehavior: .gracefullyShutdownGroup)
        self.server = ServiceGroup(configuration: ServiceGroupConfiguration(services: [service], logger: logger))
        self.draining = draining
        self.delay = delay
    }

    func run() async throws {
        // Detached, or the inner group would hear of the shutdown at once.
        let serving = Task.detached { try await server.run() }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await serving.value
            } onGracefulShutdown: {
                draining.begin()
                Task {
                    // Nothing cancels this sleep: it ends by itself.
                    try? await Task.sleep(for: draining.isRetiring ? max(delay, Self.retirement) : delay)
                    await server.triggerGracefulShutdown()
                }
            }
        } onCancel: {
            serving.cancel()
        }
    }
}
