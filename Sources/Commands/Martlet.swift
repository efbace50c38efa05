import ArgumentParser
import Foundation
import MartletApp
import MartletCore
import MartletSettings
import MartletSupervisor
import MartletTelemetry
import Synchronization

@main
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet", abstract: "A production backend: one binary, ready the minute it starts.", version: App.version,
        subcommands: [
            Serve.self, ReloadCommand.self, StatusCommand.self, Migrate.self, Check.self, Routes.self, OpenAPICommand.self,
            PermissionsCommand.self, SettingsCommand.self, DataCommand.self, SecretsCommand.self,
            WorkCommand.self, JobsCommand.self, OperatorCommand.self, UserCommand.self, AuditCommand.self,
        ],
        defaultSubcommand: Serve.self)
}

/// Settings given as flags: `--port 9000`. They are passed on whole, so that every setting is a flag without being listed here.
struct SettingFlags: ParsableArguments {
    @Argument(parsing: .allUnrecognized, help: "Settings as flags, such as --port 9000; docs/configuration.md lists them.")
    var flags: [String] = []

    /// The settings of this process; on faults, prints all of them and exits with status 78 (EX_CONFIG).
    func load() throws -> Settings {
        do throws(SettingsFaults) {
            return try Self.settings(flags)
        } catch {
            Output.error("\(error)")
            throw ExitCode(78)
        }
    }

    func app() async throws -> App {
        let settings = try load()
        App.prepareProcess(for: settings)
        let logs = try logs(settings)
        return try await App(settings, logger: logs.logger("martlet"), logs: logs)
    }

    func logs(_ settings: Settings) throws -> Logs {
        let flags = flags
        let logs = try Logs(settings) { try Self.settings(flags) }
        OpenLogs.all.withLock { $0.append(logs) }
        return logs
    }

    private static func settings(_ flags: [String]) throws(SettingsFaults) -> Settings {
        try Settings.load(
            environment: ProcessInfo.processInfo.environment, arguments: flags, folder: FileManager.default.currentDirectoryPath)
    }
}

/// What has to be written before the process ends, however it ends.
private enum OpenLogs {
    static let all = Mutex<[Logs]>([])

    /// Short: a server has waited for its log already.
    static func flush() async {
        for logs in all.withLock({ $0 }) { await logs.flush(within: .milliseconds(500)) }
    }
}

/// What commands print.
enum Output {
    static func line(_ text: String) {
        StandardStream.output.write(line: text)
    }

    static func error(_ text: String) {
        StandardStream.error.write(line: text)
    }
}

extension AsyncParsableCommand {
    /// Runs `body`; a failure meant for people is printed as its sentence, with exit status 1.
    func reporting(_ body: () async throws -> Void) async throws {
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        await OpenLogs.flush()
        do {
            try outcome.get()
        } catch let failure as Failure {
            Output.error("martlet: \(failure.message)" + (failure.cause.map { " (\($0))" } ?? ""))
            throw ExitCode.failure
        } catch let failure as SystemFailure {
            Output.error("martlet: \(failure)")
            throw ExitCode.failure
        }
    }
}
