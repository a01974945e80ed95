using System.CommandLine;
using System.Runtime.InteropServices;
using ShmCheck.Bench;
using ShmCheck.Bench.Allocators;
using ShmCheck.Bench.Calls;
using ShmCheck.Bench.Growth;
using ShmCheck.Bench.Live;

var rounds = new Option<int>("--rounds")
{
    Description = "rounds of each measurement, of which the median counts",
    DefaultValueFactory = _ => 5,
};
rounds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() is < 1 or > 1000)
    {
        result.AddError("--rounds: a number from 1 to 1000");
    }
});
var largest = new Option<int>("--largest")
{
    Description = "frames of the largest allocator, as a power of two: 18, 24 or 28",
    DefaultValueFactory = _ => 28,
};
largest.AcceptOnlyFromAmong("18", "24", "28");
var opponent = new Option<FileInfo>("--opponent")
{
    Description = "a shared library with the functions of bench/twins/twin.h, to measure too",
};
opponent.AcceptExistingOnly();

var root = new RootCommand("Measures ShmCheck's allocators and implementation, side by side with"
    + " C and with the running kernel, and prints tables.");
root.Options.Add(rounds);
root.Options.Add(largest);
root.Options.Add(opponent);
Part("allocators", "the allocators beside their C twins", o => new AllocatorBench(o).Run);
Part("calls", "calls beside the same calls on the running kernel (root)",
    o => new CallBench(o).Run);
Part("live", "the agent beside a C loop on the running kernel (root)",
    o => new LiveBench(o).Run);
Part("growth", "what calls cost as there is more of everything", o => new GrowthBench(o).Run);
Part("memory", "memory of machines", _ => MemoryBench.Run);
root.SetAction(result => Run(result,
    o => new AllocatorBench(o).Run, o => new CallBench(o).Run, o => new LiveBench(o).Run,
    o => new GrowthBench(o).Run, _ => MemoryBench.Run));
return root.Parse(args).Invoke();

void Part(string name, string description, Func<BenchOptions, Action<TextWriter>> part)
{
    var command = new Command(name, description) { rounds, largest, opponent };
    command.SetAction(result => Run(result, part));
    root.Subcommands.Add(command);
}

int Run(ParseResult result, params Func<BenchOptions, Action<TextWriter>>[] parts)
{
    var options = new BenchOptions(result.GetValue(rounds), 1 << result.GetValue(largest),
        result.GetValue(opponent)?.FullName);
    try
    {
        Console.Out.WriteLine($"{Machine()}, {RuntimeInformation.FrameworkDescription}, "
            + $"{CCompiler.Version}, {options.Rounds} rounds.\n");
        foreach (Func<BenchOptions, Action<TextWriter>> part in parts)
        {
            part(options)(Console.Out);
        }

        return 0;
    }
    catch (Exception unusable) when (unusable is InvalidDataException or IOException
        or BadImageFormatException or DllNotFoundException
        or ShmCheck.Systems.Live.SystemUnavailableException)
    {
        Console.Error.WriteLine(unusable.Message);
        return 3;
    }
}

static string Machine()
{
    const string Processors = "/proc/cpuinfo";
    string? model = !File.Exists(Processors) ? null : File.ReadLines(Processors)
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
    return $"{Environment.ProcessorCount} x {model?.Split(':')[1].Trim() ?? "unknown processor"}, "
        + $"{RuntimeInformation.OSDescription}";
}
