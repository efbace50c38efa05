/// The request that the current task works for, wherever a log line wants to name it.
public enum CurrentRequest {
    @TaskLocal public static var id: String?
}
