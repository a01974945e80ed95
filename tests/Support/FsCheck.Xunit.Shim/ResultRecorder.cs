using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace FsCheck.Xunit;

/// <summary>Keeps the result of a run. Evaluates the texts of tests and shrinks, which is how a
/// verbose run gets written.</summary>
internal sealed class ResultRecorder : IRunner
{
    private TestResult? _result;

    /// <summary>How the run ended.</summary>
    /// <exception cref="InvalidOperationException">It has not ended.</exception>
    public TestResult Result =>
        _result ?? throw new InvalidOperationException("FsCheck reported no result.");

    public void OnStartFixture(Type type)
    {
    }

    public void OnArguments(
        int test,
        FSharpList<object> arguments,
        FSharpFunc<int, FSharpFunc<FSharpList<object>, string>> every) =>
        every.Invoke(test).Invoke(arguments);

    public void OnShrink(
        FSharpList<object> arguments, FSharpFunc<FSharpList<object>, string> everyShrink) =>
        everyShrink.Invoke(arguments);

    public void OnFinished(string name, TestResult result) => _result = result;
}
