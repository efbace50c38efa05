public import HummingbirdCore
public import Logging
public import NIOCore
import NIOPosix
public import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a server listens.
public enum ListeningPlace: Sendable {
    /// A host name or address, and a port; 0 lets the system choose one.
    case address(host: String, port: Int)
    /// A socket that listens already, shared with other processes: each connection is accepted by one of them. The listener owns this
    /// descriptor, and closing it leaves those of the others, and the connections that wait, alone.
    case inherited(descriptor: Int32)
}

/// Accepts connections and serves each in a task of its own, until it is shut down gracefully; then it waits for those that are open.
///
/// It stops in this order, so that nobody who was let in is dropped: no more connections are accepted, those just accepted are put together,
/// the socket is closed, idle connections are closed, the others after the response under way.
public final class Listener<Connections: ServerChildChannel>: Service {
    private let connections: Connections
    private let place: ListeningPlace
    private let limits: WireLimits
    private let draining: Draining
    private let eventLoops: any EventLoopGroup
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void
    private let open = OpenConnections()

    /// How many connections the system keeps while nobody accepts them.
    static var backlog: Int32 { 1024 }

    public init(
        _ connections: Connections, at place: ListeningPlace, limits: WireLimits, draining: Draining, eventLoops: any EventLoopGroup,
        logger: Logger, onRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.connections = connections
        self.place = place
        self.limits = limits
        self.draining = draining
        self.eventLoops = eventLoops
        self.logger = logger
        self.onRunning = onRunning
    }

    /// Throws when the place cannot be listened at. Cancelling it cancels what serves the connections.
    public func run() async throws {
        let (accepted, arrivals) = AsyncStream<Connections.Value>.makeStream()
        let intake = try await intake(arrivals)
        draining.onRetire { intake.stop() }
        await withGracefulShutdownHandler {
            await onRunning(intake.port)
            await serve(accepted)
        } onGracefulShutdown: { [draining, open] in
            intake.stop()
            draining.end()
            open.quiesce()
        }
        intake.stop()
    }

    private func serve(_ accepted: AsyncStream<Connections.Value>) async {
        await withDiscardingTaskGroup { group in
            for await connection in accepted {
                group.addTask { await self.connections.handle(value: connection, logger: self.logger) }
            }
        }
    }

    /// Where connections come from, until told otherwise.
    private struct Intake: Sendable {
        let port: Int
        let stop: @Sendable () -> Void
    }

    private func intake(_ arrivals: AsyncStream<Connections.Value>.Continuation) async throws -> Intake {
        switch place {
        case .address(let host, let port):
            let gate = ListenerGate()
            let socket = try await bind(host, port, gate, arrivals)
            socket.closeFuture.whenComplete { _ in arrivals.finish() }
            return Intake(port: socket.localAddress?.port ?? 0) { gate.close(socket) }
        case .inherited(let descriptor):
            let acceptor = try share(descriptor, arrivals)
            let port = SharedAcceptor.port(of: descriptor)
            acceptor.start { arrivals.finish() }
            return Intake(port: port) { acceptor.stop() }
        }
    }

    private func bind(
        _ host: String, _ port: Int, _ gate: ListenerGate, _ arrivals: AsyncStream<Connections.Value>.Continuation
    ) async throws -> any Channel {
        try await ServerBootstrap(group: eventLoops)
            .serverChannelOption(ChannelOptions.backlog, value: Self.backlog)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .serverChannelInitializer { [limits] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(ListenerGateHandler(gate))
                    try pipeline.addHandler(AvailableConnectionsChannelHandler(delegate: ConnectionCap(limits)))
                }
            }
            .childChannelInitializer { self.setUp($0, arrivals) }
            .bind(host: host, port: port).get()
    }

    private func share(_ descriptor: Int32, _ arrivals: AsyncStream<Connections.Value>.Continuation) throws -> SharedAcceptor {
        try SharedAcceptor(descriptor, maximum: ConnectionCap(limits).maximum) { [eventLoops] connection in
            ClientBootstrap(group: eventLoops)
                .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
                .channelInitializer { self.setUp($0, arrivals) }
                .withConnectedSocket(connection)
        }
    }

    /// Puts a connection together, and has it served.
    private func setUp(_ channel: any Channel, _ arrivals: AsyncStream<Connections.Value>.Continuation) -> EventLoopFuture<Void> {
        connections.setup(channel: channel, logger: logger).map { [open] connection in
            open.add(channel)
            arrivals.yield(connection)
        }
    }
}

extension ServerChildChannel {
    /// The service that listens for such connections; its kind of connection is nobody's business.
    func listener(
        at place: ListeningPlace, limits: WireLimits, draining: Draining, eventLoops: any EventLoopGroup, logger: Logger,
        onRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) -> any Service {
        Listener(self, at: place, limits: limits, draining: draining, eventLoops: eventLoops, logger: logger, onRunning: onRunning)
    }
}

extension WireConfiguration {
    /// A service that listens at a place, speaks as this says, and hands each request to `responder`.
    ///
    /// Throws when the certificate or its key cannot be read; `reloads` reads them anew.
    public func listener(
        at place: ListeningPlace, draining: Draining, reloads: Reloads, eventLoops: any EventLoopGroup, logger: Logger,
        responder: @escaping HTTPChannelHandler.Responder, onRunning: @escaping @Sendable (_ port: Int) async -> Void
    ) throws -> any Service {
        try connections(draining, reloads, responder).listener(
            at: place, limits: limits, draining: draining, eventLoops: eventLoops, logger: logger, onRunning: onRunning)
    }
}
