import ArgumentParser
import Foundation
import Logging
import MartletApp
import MartletSettings
import MartletSupervisor

/// `serve` with several workers: this process holds the port and looks after them.
struct Supervision {
    let settings: Settings
    let logger: Logger

    /// Blocks a thread until told to stop; returns what to exit with.
    func run() async throws -> Int32 {
        warn()
        let supervisor = try Supervisor(options, logger: logger) { port in Output.line(settings.greeting(port: port)) }
        return supervisor.run()
    }

    private var options: Supervisor.Options {
        Supervisor.Options(
            workers: settings.workers, host: settings.host, port: settings.port,
            // A worker ends by itself before that.
            stopWithin: settings.drainDelay + settings.shutdownTimeout + .seconds(5),
            controlSocket: settings.controlSocket, crashLog: settings.crashLog, arguments: Array(CommandLine.arguments.dropFirst()))
    }

    private func warn() {
        guard settings.rateLimits, settings.redisURL == nil else { return }
        logger.warning(
            "Each worker counts calls by itself: callers may call as often as the limits say at each of them. REDIS_URL makes them count together.",
            metadata: ["workers": "\(settings.workers)"])
    }
}

struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Replace the workers of a running server one by one, by the program as it lies there now.")

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await reporting {
            Output.line(try ControlClient.ask("reload", at: try settings.load().controlSocket) { Output.line($0) })
        }
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show the workers of a running server.")

    @OptionGroup var settings: SettingFlags

    func run() async throws {
        try await reporting {
            Output.line(try ControlClient.ask("status", at: try settings.load().controlSocket) { Output.line($0) })
        }
    }
}

extension Settings {
    /// What is printed once connections are accepted.
    func greeting(port: Int) -> String {
        "Martlet \(App.version) serves \(address(port: port))"
    }

    /// How browsers reach the server, as far as it knows.
    func site(port: Int) -> String { self.publicURL?.description ?? address(port: port) }

    private func address(port: Int) -> String {
        "\(self.tlsCertificateFile == nil ? "http" : "https")://\(self.host):\(port)"
    }
}
