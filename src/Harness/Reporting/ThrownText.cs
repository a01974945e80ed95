using System.Diagnostics;
using System.Reflection;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Harness.Reporting;

/// <summary>An exception in the words of a report: what it is, what it says, and where it came
/// from, without the directories of the machine that it was compiled on.</summary>
internal static class ThrownText
{
    /// <summary>Frames that are named: enough to find the place.</summary>
    private const int MostFrames = 3;

    /// <summary>Frames among which those of a recursion come more than once.</summary>
    private const int FramesOfRecursion = 64;

    public static string Of(Exception problem)
    {
        IEnumerable<string> frames = new StackTrace(problem, fNeedFileInfo: true).GetFrames()
            .TakeWhile(frame => !IsOfHarness(frame)).Take(FramesOfRecursion).Select(Of);

        // In which call of a recursion the stack ends is chance; which calls recur is not.
        frames = (problem is InsufficientExecutionStackException
            ? frames.GroupBy(frame => frame).Where(calls => calls.Skip(1).Any())
                .Select(calls => calls.Key).Order(StringComparer.Ordinal)
            : frames).Take(MostFrames);
        string message = problem.Message.ReplaceLineEndings(" ");
        string what = problem is EndlessLoopException ? Breakdown.HungText
            : $"nothing: it threw {problem.GetType().Name}, {message}";
        return $"{what} (in {string.Join(", ", frames)})";
    }

    private static bool IsOfHarness(StackFrame frame) =>
        frame.GetMethod()?.DeclaringType?.Assembly == typeof(ThrownText).Assembly;

    private static string Of(StackFrame frame)
    {
        MethodBase? method = frame.GetMethod();
        string name = $"{method?.DeclaringType?.Name}.{method?.Name}";
        return frame.GetFileName() is { } file
            ? $"{name} {Path.GetFileName(file)}:{frame.GetFileLineNumber()}" : name;
    }
}
