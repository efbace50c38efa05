import Logging
import MartletWire
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a running process is told from outside.
public enum Instruction: Sendable, Hashable {
    /// SIGTERM or SIGINT, by its number: finish, and end.
    case stop(signal: Int32)
    /// Others accept from the same socket, or are to: accept nothing more, finish, and end.
    case retire
    /// SIGHUP: read certificates and the like anew.
    case reload
}

/// What to do about instructions: pure, so that it can be tested.
struct Stopping {
    enum Action: Equatable { case none, drain, retire, reload, exit(status: Int32) }

    private var isEnding = false
    private var hasHeardSignal = false

    /// A process may be told twice to finish; whoever signals a second time does not want to wait.
    mutating func heed(_ instruction: Instruction) -> Action {
        switch instruction {
        case .reload: return .reload
        case .retire:
            defer { isEnding = true }
            return isEnding ? .none : .retire
        case .stop(let signal):
            defer { (isEnding, hasHeardSignal) = (true, true) }
            if hasHeardSignal { return .exit(status: 128 + signal) }
            return isEnding ? .none : .drain
        }
    }
}

/// Carries out what a process is told while its services run.
struct InstructionHandler: Sendable {
    let group: ServiceGroup
    let draining: Draining
    let reloads: Reloads
    let logger: Logger

    /// Until cancelled. Signals are heeded from here on, also while everything is being finished.
    func run(_ further: AsyncStream<Instruction>) async {
        let (instructions, heard) = AsyncStream<Instruction>.makeStream()
        async let signals: Void = hear(heard)
        async let others: Void = { for await instruction in further { heard.yield(instruction) } }()
        var stopping = Stopping()
        for await instruction in instructions { await perform(stopping.heed(instruction)) }
        _ = await (signals, others)
    }

    private func hear(_ heard: AsyncStream<Instruction>.Continuation) async {
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) {
            heard.yield(signal == .sighup ? .reload : .stop(signal: signal.rawValue))
        }
    }

    private func perform(_ action: Stopping.Action) async {
        switch action {
        case .none: break
        case .drain: await group.triggerGracefulShutdown()
        case .retire:
            draining.retire()
            await group.triggerGracefulShutdown()
        case .reload: reload()
        // At once: what is being finished may be what hangs.
        case .exit(let status): _exit(status)
        }
    }

    private func reload() {
        let problems = reloads.run()
        for problem in problems {
            logger.error(
                "Could not reload, and goes on with what was",
                metadata: ["what": "\(problem.what)", "error": "\(problem.cause)"])
        }
        if problems.isEmpty { logger.notice("Reloaded") }
    }
}
