using System.Globalization;
using ShmCheck.Bench.Harness;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
string what = args.Length > 0 ? args[0] : "";
if (what is not ("" or "checking" or "exploring" or "symmetry")
    || (args.Length > 1 && !int.TryParse(args[1], out _)) || args.Length > 2)
{
    Console.Error.WriteLine("usage: ShmCheck.Bench.Harness "
        + "[checking|exploring|symmetry [ROUNDS]]");
    return 2;
}

int rounds = args.Length > 1 ? int.Parse(args[1]) : what == "symmetry" ? 1 : 5;
if (what is "" or "checking")
{
    CheckedSteps.Print(rounds, Console.Out);
}

if (what is "" or "exploring")
{
    Explorers.Print(rounds, Console.Out);
}

if (what is "symmetry")
{
    Explorers.PrintLargest(rounds, Console.Out);
}

return 0;
