using ShmCheck.Faults.Hunting;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.CommandLine;

/// <summary>The option <c>--fault</c> of <c>replay</c> and <c>shrink</c>.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class FaultOptionTests
{
    private const string Fault = "fork-forgets-the-attach";

    private static readonly string Trace =
        Path.Combine(Repository.Root, FaultRecorder.TraceFolder, $"{Fault}.shm");

    [Theory]
    [InlineData("replay")]
    [InlineData("shrink")]
    public void A_trace_of_a_fault_diverges_with_the_fault_in_the_implementation(string command)
    {
        CommandRun run = CommandRun.Of(command, "--fault", Fault, Trace);

        Assert.Equal((1, ""), (run.Code, run.Error));
        Assert.Contains(
            "diverges: fork.ok.fork | nattch | Fork", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_of_a_fault_conforms_without_it() =>
        Assert.Equal(0, CommandRun.Of("replay", Trace).Code);

    [Theory]
    [InlineData("there is no fault 'none'; faults --list names them", "--fault", "none")]
    [InlineData("expected either --system or --fault, not both",
        "--fault", Fault, "--system", "impl")]
    public void An_option_that_cannot_be_meant_is_refused(string problem, params string[] options)
    {
        CommandRun run = CommandRun.Of(["replay", .. options, Trace]);

        Assert.Equal((2, $"shmcheck: {problem}\n"), (run.Code, run.Error));
    }
}
