using System.Diagnostics;
using System.Text.Json.Nodes;
using ShmCheck.Abi;
using ShmCheck.Cli;

namespace ShmCheck.Properties.CommandLine;

/// <summary>Tests that take the console, which the process has once, run by themselves.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ConsoleCollection
{
    public const string Name = "console";
}

/// <summary>A run of the command line.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Out">What it printed.</param>
/// <param name="Error">What it said on standard error.</param>
internal sealed record CommandRun(int Code, string Out, string Error)
{
    /// <summary>What was printed, all of it, as one JSON object.</summary>
    public JsonObject Json => Assert.IsType<JsonObject>(JsonNode.Parse(Out));

    /// <summary>Runs a command within this process.</summary>
    public static CommandRun Of(params string[] arguments) =>
        Of(SystemRegistry.BuiltIn, arguments);

    /// <summary>Runs a command that can name one system only.</summary>
    public static CommandRun On(ISystemFactory system, params string[] arguments) =>
        On([system], arguments);

    /// <summary>Runs a command that can name some systems only.</summary>
    public static CommandRun On(ISystemFactory[] systems, params string[] arguments) =>
        Of(new SystemRegistry([.. systems]), arguments);

    /// <summary>Runs a command as a process of its own, and sends it a signal.</summary>
    /// <param name="signal">The signal, such as <c>INT</c>.</param>
    /// <param name="when">Looks whether it is time to send it.</param>
    /// <param name="arguments">The arguments.</param>
    public static CommandRun Interrupt(string signal, Func<bool> when, params string[] arguments)
    {
        string command = Path.Combine(AppContext.BaseDirectory, "shmcheck.dll");
        // Who runs in the background may have been told to ignore interrupts, and hands that on.
        var start = new ProcessStartInfo(
            "env", ["--default-signal", "dotnet", command, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        Assert.True(SpinWait.SpinUntil(() => when() || process.HasExited, 60_000));
        using Process kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        process.WaitForExit();
        return new CommandRun(process.ExitCode, output.Result, error.Result);
    }

    private static CommandRun Of(SystemRegistry systems, string[] arguments)
    {
        (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
        using var newOutput = new StringWriter();
        using var newError = new StringWriter();
        try
        {
            Console.SetOut(newOutput);
            Console.SetError(newError);
            int code = Program.Run(arguments, systems);
            return new CommandRun(code, newOutput.ToString(), newError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }
}
