using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Reporting;

/// <summary>Turns replies into the form that traces have: handles for pids and identifiers,
/// <c>set</c> for time stamps.</summary>
internal static class ReplyRendering
{
    public static ExpectedReply Render(Call call, Reply reply, Bindings bindings) => reply switch
    {
        Reply.Error error => new ExpectedReply.Error(error.Errno),
        Reply.Raised raised => new ExpectedReply.Raised(raised.Signal),
        Reply.Value when BindsResult(call) => new ExpectedReply.Bound(),
        Reply.Value value => new ExpectedReply.Value(
            Result(call, value, bindings),
            [.. ReplyFields.Of(value.Data).Select(field => Render(field, bindings))]),
        _ => throw new InvalidOperationException($"the specification never replies {reply}"),
    };

    /// <summary>Whether a call that succeeds returns a number that the system may choose.
    /// </summary>
    public static bool BindsResult(Call call) =>
        call is ShmGet or ShmAt or MMap or MRemap or SpawnCall;

    private static ExpectedValue Result(Call call, Reply.Value value, Bindings bindings) =>
        call is ShmCtlStatIndex && bindings.FindSegment((int)value.Result) is { } segment
            ? segment : (ulong)value.Result;

    public static ExpectedField Render(FigureSpan field, Bindings bindings) =>
        new(field.Name, Value(FieldText.StyleOf(field.Name), field, bindings));

    private static ExpectedValue Value(FieldStyle style, FigureSpan field, Bindings bindings) =>
        style switch
        {
            FieldStyle.Stamp when field.Most != 0 => ExpectedValue.Set,
            FieldStyle.Process when bindings.FindProcess((int)field.Least) is { } process =>
                process,
            _ => field.Least,
        };
}
