// MartletSupervisor: worker processes, replaced one by one or when they crash, and what is known of a crash.

import Foundation
public import Logging

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

/// Holds the port, and keeps worker processes of this program that accept from it. It serves nothing itself.
///
/// One thread waits for everything there is: signals, what workers say, commands. ``Crew`` decides; this carries it out.
public final class Supervisor {
    public struct Options: Sendable {
        public var workers: Int
        public var host: String
        public var port: Int
        /// How long a worker that was told to stop may take before it is killed.
        public var stopWithin: Duration
        public var controlSocket: String
        /// A file that gets a line of JSON for each crash.
        public var crashLog: String
        /// What workers are started with: those of this process.
        public var arguments: [String]

        public init(
            workers: Int, host: String, port: Int, stopWithin: Duration, controlSocket: String, crashLog: String, arguments: [String]
        ) {
            (self.workers, self.host, self.port, self.stopWithin) = (workers, host, port, stopWithin)
            (self.controlSocket, self.crashLog, self.arguments) = (controlSocket, crashLog, arguments)
        }
    }

    let options: Options
    let logger: Logger
    private let program: String
    private var listener: Int32
    private let control: ControlSocket
    private let signals: Int32
    private var crew: Crew
    private var processes: [Int32: WorkerProcess] = [:]
    /// Who waits for the workers to be replaced.
    private var reloader: Int32?
    private var exitStatus: Int32?
    private let onRunning: (Int) -> Void
    private let began = ContinuousClock.now

    /// Listens, and catches the process's signals. Throws when the port or the control socket is taken.
    ///
    /// - Parameter onRunning: Called with the port once all workers serve.
    public init(_ options: Options, logger: Logger, onRunning: @escaping (Int) -> Void) throws {
        self.options = options
        self.logger = logger
        self.onRunning = onRunning
        program = try Self.ownPath()
        control = try ControlSocket(path: options.controlSocket)
        do {
            listener = try ListeningSocket.open(host: options.host, port: options.port)
        } catch {
            control.remove()
            throw error
        }
        signals = try SignalPipe.open([SIGTERM, SIGINT, SIGHUP, SIGCHLD])
        crew = Crew(Crew.Rules(workers: options.workers, stopWithin: options.stopWithin))
    }

    /// Where this program lies. A file put there later is what workers are started from.
    private static func ownPath() throws -> String {
        let text = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let removed = " (deleted)"
        return text.hasSuffix(removed) ? String(text.dropLast(removed.count)) : text
    }

    /// Until told to stop; returns what the process is to exit with. Blocks its thread.
    public func run() -> Int32 {
        perform(crew.begin())
        while exitStatus == nil {
            wait()
            perform(crew.tick(now))
        }
        control.remove()
        return exitStatus ?? 0
    }

    var now: Duration { ContinuousClock.now - began }

    private func perform(_ actions: [Crew.Action]) {
        for action in actions { perform(action) }
    }

    private func perform(_ action: Crew.Action) {
        switch action {
        case .start(let place): start(at: place)
        case .retire(let pid): if let worker = processes[pid] { Descriptor.write(worker.line, "retire\n") }
        case .terminate(let pid): kill(pid, SIGTERM)
        case .kill(let pid):
            logger.warning("A worker is killed", metadata: ["pid": "\(pid)"])
            kill(pid, SIGKILL)
        case .announce: onRunning(ListeningSocket.port(of: listener))
        case .report(let text):
            logger.notice("Replacing workers", metadata: ["progress": "\(text)"])
            if let reloader { control.say("+ " + text, to: reloader) }
        case .endReload(let failure): endReload(failure)
        case .exit(let status): exitStatus = exitStatus ?? status
        }
    }

    private func start(at place: Int) {
        do {
            let worker = try WorkerProcess.start(program, options.arguments, listener: listener, at: now)
            processes[worker.pid] = worker
            logger.info("A worker starts", metadata: ["pid": "\(worker.pid)", "place": "\(place + 1)"])
            perform(crew.started(worker.pid, at: place, now))
        } catch {
            logger.error("A worker cannot be started", metadata: ["error": "\(error)"])
            perform(crew.couldNotStart(place: place, "\(error)", now))
        }
    }

    private func endReload(_ failure: String?) {
        if let failure { logger.error("The workers are not replaced", metadata: ["error": "\(failure)"]) }
        guard let client = reloader else { return }
        reloader = nil
        control.say(failure.map { "! " + $0 } ?? "= all workers are replaced", to: client)
        control.hangUp(client)
    }
}

// MARK: What happens

extension Supervisor {
    private func wait() {
        let lines = processes.values.filter { !$0.isSilent }
        let clients = Array(control.clients.keys)
        var waiting = ([signals, control.descriptor] + clients + lines.map(\.line))
            .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let timeout = crew.nextDue.map { Int32(clamping: max(0, ($0 - now).milliseconds + 1)) } ?? -1
        guard poll(&waiting, nfds_t(waiting.count), timeout) > 0 else { return }
        let readable = Set(waiting.filter { $0.revents != 0 }.map(\.fd))
        if readable.contains(signals) { for number in Descriptor.read(signals) ?? [] { heed(Int32(number)) } }
        for worker in lines where readable.contains(worker.line) { hear(worker) }
        for client in clients where readable.contains(client) { obey(client) }
        if readable.contains(control.descriptor) { control.accept() }
    }

    private func hear(_ worker: WorkerProcess) {
        guard let bytes = Descriptor.read(worker.line) else {
            worker.isSilent = true
            return
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.contains(WorkerSeat.readyNotice) {
            logger.info("A worker serves", metadata: ["pid": "\(worker.pid)"])
            perform(crew.ready(worker.pid, now))
        }
        if text.contains(WorkerSeat.crashNotice.description) { replace(crashing: worker) }
    }

    /// Its backtrace may take a while, in which it serves nobody.
    private func replace(crashing worker: WorkerProcess) {
        worker.crashed = worker.inFlight.entries()
        perform(crew.exited(worker.pid, status: .signalled(SIGTRAP), now))
    }

    private func heed(_ signal: Int32) {
        switch signal {
        case SIGCHLD: reap()
        case SIGHUP: for pid in processes.keys { kill(pid, SIGHUP) }
        default:
            logger.notice("Stopping", metadata: ["signal": "\(SignalName.of(signal))"])
            // The workers' own are the last ones then: nobody waits at a socket from which none of them accepts any more.
            close(listener)
            listener = -1
            perform(crew.stop(signal: signal, now))
        }
    }

    private func reap() {
        var status: Int32 = 0
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
            guard let worker = processes.removeValue(forKey: pid) else { continue }
            let end = WorkerEnd(waitStatus: status)
            note(worker, end)
            perform(crew.exited(pid, status: end, now))
        }
    }
}

extension Supervisor {
    private func note(_ worker: WorkerProcess, _ end: WorkerEnd) {
        let wasAsked = crew.workers[worker.pid]?.state == .leaving && end.isClean
        if wasAsked {
            logger.info("A worker ended", metadata: ["pid": "\(worker.pid)"])
        } else if crew.hasServed {
            record(worker, end, at: now)
        } else {
            logger.error("The first worker ended before it served", metadata: ["pid": "\(worker.pid)", "how": "\(end)"])
        }
    }
}

// MARK: Commands

extension Supervisor {
    private func obey(_ client: Int32) {
        switch control.command(from: client) {
        case nil: if reloader == client, control.clients[client] == nil { reloader = nil }
        case "reload": reload(for: client)
        case "status": answer(client, with: status)
        default: answer(client, with: ["! there is no such command"])
        }
    }

    private func answer(_ client: Int32, with lines: [String]) {
        for line in lines { control.say(line, to: client) }
        control.hangUp(client)
    }

    private func reload(for client: Int32) {
        if let obstacle = crew.obstacle { return answer(client, with: ["! " + obstacle]) }
        reloader = client
        perform(crew.beginReload(now))
    }

    private var status: [String] {
        let workers = crew.workers.values.sorted { ($0.place, $0.started) < ($1.place, $1.started) }.map {
            "+ worker \($0.place + 1): process \($0.pid), \($0.state), for \((now - $0.started).components.seconds) s"
        }
        return workers + ["= \(options.workers) workers, \(crew.restarts) restarts, supervisor \(getpid())"]
    }
}
